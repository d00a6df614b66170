#include "kernels/sgemm/generic.h"

namespace octavo {
namespace {

struct Floats {
  using Reg = float;
  static constexpr int kLanes = 1;
  static constexpr int kAhead = 0;
  static Reg load(const float* p) { return *p; }
  static void store(float* p, Reg x) { *p = x; }
  static Reg load_part(const float* p, size_t n) { return load_lanes<Floats>(p, n); }
  static void store_part(float* p, Reg x, size_t n) { store_lanes<Floats>(p, x, n); }
  static Reg splat(float x) { return x; }
  static Reg fma(Reg a, Reg b, Reg c) { return a * b + c; }
  static Reg add(Reg a, Reg b) { return a + b; }
  static Reg max_of(Reg lo, Reg x) { return x < lo ? lo : x; }
  static Reg min_of(Reg hi, Reg x) { return x > hi ? hi : x; }
};

}  // namespace

void sgemm_f32_4x4_scalar(const SgemmTile& t) { sgemm_tile<Floats, 4, 4>(t); }
void sdwconv_f32_8p_scalar(const DepthwiseStrip& s) { depthwise_strip<Floats, 8>(s); }

}  // namespace octavo
