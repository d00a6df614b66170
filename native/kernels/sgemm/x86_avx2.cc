#include <immintrin.h>

#include "kernels/sgemm/generic.h"

namespace octavo {
namespace {

struct Floats {
  using Reg = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kAhead = 1024;  // 4 KiB: weights that come from memory
  static Reg load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Reg x) { _mm256_storeu_ps(p, x); }
  static Reg load_part(const float* p, size_t n) { return load_lanes<Floats>(p, n); }
  static void store_part(float* p, Reg x, size_t n) { store_lanes<Floats>(p, x, n); }
  static void prefetch(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }
  static Reg splat(float x) { return _mm256_set1_ps(x); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
  static Reg add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
  static Reg max_of(Reg lo, Reg x) { return _mm256_max_ps(lo, x); }
  static Reg min_of(Reg hi, Reg x) { return _mm256_min_ps(hi, x); }
};

}  // namespace

void sgemm_f32_6x16_x86_avx2(const SgemmTile& t) { sgemm_tile<Floats, 6, 2>(t); }
void sdwconv_f32_8p_x86_avx2(const DepthwiseStrip& s) { depthwise_strip<Floats, 8>(s); }

}  // namespace octavo
