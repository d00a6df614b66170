#include <immintrin.h>

#include "test/peak/loop.h"
#include "test/peak/peak.h"

namespace octavo::bench {

void peak_int8_x86_avx2(int64_t iterations) {
  const __m256i weights = _mm256_set1_epi8(3), ones = _mm256_set1_epi16(1);
  peak_loop<12>(iterations, _mm256_setzero_si256(), _mm256_set1_epi8(5), [&](__m256i sum, __m256i x) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(x, weights), ones));
  });
}

void peak_float_x86_avx2(int64_t iterations) {
  const __m256 weights = _mm256_set1_ps(0.5f);
  peak_loop<12>(iterations, _mm256_setzero_ps(), _mm256_set1_ps(0.25f),
                [&](__m256 sum, __m256 x) { return _mm256_fmadd_ps(x, weights, sum); });
}

}  // namespace octavo::bench
