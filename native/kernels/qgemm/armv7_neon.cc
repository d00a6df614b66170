// Cortex-A7 and the A53 in 32 bits: 2 x 4 sums of four lanes in 8 of the 16 registers.
#include "kernels/qgemm/neon_mlal.h"

namespace octavo {
namespace {

template <bool kNarrow>
inline void rows2(const QGemmTile& t) {
  if (t.m > 1) return mlal_tile<2, 2, kNarrow>(t);
  return mlal_tile<1, 2, kNarrow>(t);
}

}  // namespace

void qgemm_s8s8_2x4c8_narrow_armv7_neon(const QGemmTile& t) { rows2<true>(t); }
void qgemm_s8s8_2x4c8_armv7_neon(const QGemmTile& t) { rows2<false>(t); }

}  // namespace octavo
