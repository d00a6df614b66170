// Cortex-A53, A57, A72 (Raspberry Pi 3 and 4): 4 rows by 16 columns of sums in 16 of the 32 registers. One of the two
// vector pipes multiplies; broadcasts and SADALPs fit beside it.
#include "kernels/qgemm/neon_mlal.h"

namespace octavo {
namespace {

constexpr size_t kRows = 4, kColumns = 16;

template <int R, bool kNarrow>
void tile(const QGemmTile& t) {
  const size_t panel_bytes = t.operands.taps * ((t.operands.k + 1) / 2 * 2) * kColumns;
  const int8_t* w = t.operands.panel;
  size_t column = 0;
  for (; column + 8 < t.n; column += kColumns, w += panel_bytes)
    mlal_panel<NeonRoundByConverting, kRows, R, 4, kNarrow>(t, column, w, kColumns * 2);
  if (column < t.n) mlal_panel<NeonRoundByConverting, kRows, R, 2, kNarrow>(t, column, w, kColumns * 2);
}

template <bool kNarrow>
constexpr QGemmFunction kTiles[kRows] = {tile<1, kNarrow>, tile<2, kNarrow>, tile<3, kNarrow>, tile<4, kNarrow>};

}  // namespace

void qgemm_s8s8_4x16c2_narrow_arm_neon(const QGemmTile& t) { kTiles<true>[t.m - 1](t); }
void qgemm_s8s8_4x16c2_arm_neon(const QGemmTile& t) { kTiles<false>[t.m - 1](t); }

}  // namespace octavo
