#include <immintrin.h>

#include "kernels/sgemm/generic.h"

namespace octavo {
namespace {

struct Floats {
  using Reg = __m512;
  static constexpr int kLanes = 16;
  static constexpr int kAhead = 1024;  // 4 KiB: weights that come from memory
  static Reg load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Reg x) { _mm512_storeu_ps(p, x); }
  static __mmask16 first(size_t n) { return static_cast<__mmask16>(0xffffu >> (16 - n)); }
  static Reg load_part(const float* p, size_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
  static void store_part(float* p, Reg x, size_t n) { _mm512_mask_storeu_ps(p, first(n), x); }
  static void prefetch(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }
  static Reg splat(float x) { return _mm512_set1_ps(x); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
  static Reg add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
  // maskz: the plain form reads an undefined register, of which gcc warns.
  static Reg max_of(Reg lo, Reg x) { return _mm512_maskz_max_ps(0xffff, lo, x); }
  static Reg min_of(Reg hi, Reg x) { return _mm512_maskz_min_ps(0xffff, hi, x); }
};

}  // namespace

void sgemm_f32_14x32_x86_avx512vnni(const SgemmTile& t) { sgemm_tile<Floats, 14, 2>(t); }
void sdwconv_f32_8p_x86_avx512vnni(const DepthwiseStrip& s) { depthwise_strip<Floats, 8>(s); }

}  // namespace octavo
