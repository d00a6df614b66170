// Cortex-A53, A57, A72 (Raspberry Pi 3 and 4): 4 x 4 sums of four lanes in 16 of the 32 registers.
#include "kernels/qgemm/neon_mlal.h"

namespace octavo {
namespace {

template <bool kNarrow>
inline void rows4(const QGemmTile& t) {
  if (t.m > 2) return mlal_tile<4, 4, kNarrow>(t);
  if (t.m > 1) return mlal_tile<2, 4, kNarrow>(t);
  return mlal_tile<1, 4, kNarrow>(t);
}

}  // namespace

void qgemm_s8s8_4x4c8_narrow_arm_neon(const QGemmTile& t) { rows4<true>(t); }
void qgemm_s8s8_4x4c8_arm_neon(const QGemmTile& t) { rows4<false>(t); }

}  // namespace octavo
