#include <arm_neon.h>

#include "test/peak/loop.h"
#include "test/peak/peak.h"

namespace octavo::bench {

void peak_int8_armv7_neon(int64_t iterations) {
  const int8x8_t weights = vdup_n_s8(3);
  peak_loop<8>(iterations, vdupq_n_s32(0), vdup_n_s8(5),
               [&](int32x4_t sum, int8x8_t x) { return vpadalq_s16(sum, vmlal_s8(vmull_s8(x, weights), x, weights)); });
}

void peak_float_armv7_neon(int64_t iterations) {
  const float32x4_t weights = vdupq_n_f32(0.5f);
  peak_loop<8>(iterations, vdupq_n_f32(0), vdupq_n_f32(0.25f),
               [&](float32x4_t sum, float32x4_t x) { return vfmaq_f32(sum, x, weights); });
}

}  // namespace octavo::bench
