#include <immintrin.h>

#include "test/peak/loop.h"
#include "test/peak/peak.h"

namespace octavo::bench {

void peak_int8_x86_avx512vnni(int64_t iterations) {
  const __m512i weights = _mm512_set1_epi8(3);
  peak_loop<16>(iterations, _mm512_setzero_si512(), _mm512_set1_epi8(5),
                [&](__m512i sum, __m512i x) { return _mm512_dpbusd_epi32(sum, x, weights); });
}

void peak_float_x86_avx512vnni(int64_t iterations) {
  const __m512 weights = _mm512_set1_ps(0.5f);
  peak_loop<16>(iterations, _mm512_setzero_ps(), _mm512_set1_ps(0.25f),
                [&](__m512 sum, __m512 x) { return _mm512_fmadd_ps(x, weights, sum); });
}

}  // namespace octavo::bench
