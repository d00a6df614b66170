// Cortex-A7 and the A53 in 32 bits: 4 rows by 8 columns of sums in 8 of the 16 registers.
#include "kernels/qgemm/neon_mlal.h"

namespace octavo {
namespace {

constexpr size_t kRows = 4, kColumns = 8;

template <int R, bool kNarrow>
void tile(const QGemmTile& t) {
  const size_t panel_bytes = t.operands.taps * ((t.operands.k + 1) / 2 * 2) * kColumns;
  const int8_t* w = t.operands.panel;
  for (size_t column = 0; column < t.n; column += kColumns, w += panel_bytes)
    mlal_panel<NeonRoundByAdding, kRows, R, 2, kNarrow>(t, column, w, kColumns * 2);
}

template <bool kNarrow>
constexpr QGemmFunction kTiles[kRows] = {tile<1, kNarrow>, tile<2, kNarrow>, tile<3, kNarrow>, tile<4, kNarrow>};

}  // namespace

void qgemm_s8s8_4x8c2_narrow_armv7_neon(const QGemmTile& t) { kTiles<true>[t.m - 1](t); }
void qgemm_s8s8_4x8c2_armv7_neon(const QGemmTile& t) { kTiles<false>[t.m - 1](t); }

}  // namespace octavo
