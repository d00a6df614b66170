#include <arm_neon.h>

#include "test/peak/loop.h"
#include "test/peak/peak.h"

namespace octavo::bench {

void peak_int8_arm_neondot(int64_t iterations) {
  const int8x16_t weights = vdupq_n_s8(3);
  peak_loop<16>(iterations, vdupq_n_s32(0), vdupq_n_s8(5),
                [&](int32x4_t sum, int8x16_t x) { return vdotq_s32(sum, x, weights); });
}

}  // namespace octavo::bench
