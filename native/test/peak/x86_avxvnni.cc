#include <immintrin.h>

#include "test/peak/loop.h"
#include "test/peak/peak.h"

namespace octavo::bench {

void peak_int8_x86_avxvnni(int64_t iterations) {
  const __m256i weights = _mm256_set1_epi8(3);
  peak_loop<12>(iterations, _mm256_setzero_si256(), _mm256_set1_epi8(5),
                [&](__m256i sum, __m256i x) { return _mm256_dpbusd_avx_epi32(sum, x, weights); });
}

}  // namespace octavo::bench
