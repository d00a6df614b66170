#include <arm_neon.h>

#include "kernels/sgemm/generic.h"

namespace octavo {
namespace {

struct Floats {
  using Reg = float32x4_t;
  static constexpr int kLanes = 4;
  static constexpr int kAhead = 0;
  static Reg load(const float* p) { return vld1q_f32(p); }
  static void store(float* p, Reg x) { vst1q_f32(p, x); }
  static Reg load_part(const float* p, size_t n) { return load_lanes<Floats>(p, n); }
  static void store_part(float* p, Reg x, size_t n) { store_lanes<Floats>(p, x, n); }
  static Reg splat(float x) { return vdupq_n_f32(x); }
  static Reg fma(Reg a, Reg b, Reg c) { return vfmaq_f32(c, a, b); }
  static Reg add(Reg a, Reg b) { return vaddq_f32(a, b); }
  static Reg max_of(Reg lo, Reg x) { return vmaxq_f32(lo, x); }
  static Reg min_of(Reg hi, Reg x) { return vminq_f32(hi, x); }
};

}  // namespace

void sgemm_f32_6x8_armv7_neon(const SgemmTile& t) { sgemm_tile<Floats, 6, 2>(t); }
void sdwconv_f32_8p_armv7_neon(const DepthwiseStrip& s) { depthwise_strip<Floats, 8>(s); }

}  // namespace octavo
