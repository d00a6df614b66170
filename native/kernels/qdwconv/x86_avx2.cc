// AVX2: the bytes of two taps are interleaved, widened to 16 bits and multiplied in pairs; channels stay in order.
#include <immintrin.h>

#include <cstring>

#include "kernels/qdwconv/qdwconv.h"

namespace octavo {
namespace {

inline __m128i load16(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline __m256i load256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

template <bool kSigned>
inline __m256i widen(__m128i bytes) {
  return kSigned ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
}

inline __m256i requantize(__m256i acc, const float* multiplier, __m256 lo, __m256 hi, __m256i zero_point) {
  const __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(multiplier));
  return _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(scaled, lo), hi)), zero_point);
}

inline void store_int32(int32_t* out, __m256i a0, __m256i a1, size_t n) {
  if (n >= 16) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), a0);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 8), a1);
    return;
  }
  alignas(32) int32_t edge[16];
  _mm256_store_si256(reinterpret_cast<__m256i*>(edge), a0);
  _mm256_store_si256(reinterpret_cast<__m256i*>(edge + 8), a1);
  std::memcpy(out, edge, n * sizeof(int32_t));
}

inline void store_bytes(uint8_t* out, __m256i a0, __m256i a1, size_t n) {
  // Values fit a byte of either signedness: keep the low byte of each, put the lanes in order.
  const __m256i low = _mm256_set1_epi32(0xFF);
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packus_epi32(_mm256_and_si256(a0, low), _mm256_and_si256(a1, low)), 0xD8);
  const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  if (n >= 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    return;
  }
  alignas(16) uint8_t edge[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(edge), bytes);
  std::memcpy(out, edge, n);
}

template <bool kSigned>
void tile(const QDwTile& t) {
  const __m256 lo = _mm256_set1_ps(t.requantize.lo), hi = _mm256_set1_ps(t.requantize.hi);
  const __m256i zero_point = _mm256_set1_epi32(t.requantize.zero_point);
  for (size_t p = 0; p < t.pixels; ++p) {
    const uint8_t* const* rows = t.rows + p * t.taps;
    uint8_t* out = static_cast<uint8_t*>(t.c) + p * t.c_stride;
    for (size_t c = 0; c < t.channels; c += 16) {
      __m256i acc0 = load256(t.bias + c), acc1 = load256(t.bias + c + 8);
      const int16_t* w = t.weights + c * 2;
      for (size_t tap = 0; tap < t.taps; tap += 2, w += t.padded * 2) {
        const __m128i x = load16(rows[tap] + c), y = load16(rows[tap + 1] + c);
        acc0 = _mm256_add_epi32(acc0, _mm256_madd_epi16(widen<kSigned>(_mm_unpacklo_epi8(x, y)), load256(w)));
        acc1 = _mm256_add_epi32(acc1, _mm256_madd_epi16(widen<kSigned>(_mm_unpackhi_epi8(x, y)), load256(w + 16)));
      }
      if (t.to_int32)
        store_int32(reinterpret_cast<int32_t*>(out) + c, acc0, acc1, t.channels - c);
      else
        store_bytes(out + c, requantize(acc0, t.multiplier + c, lo, hi, zero_point),
                    requantize(acc1, t.multiplier + c + 8, lo, hi, zero_point), t.channels - c);
    }
  }
}

}  // namespace

void qdwconv_16c_x86_avx2_s8(const QDwTile& t) { tile<true>(t); }
void qdwconv_16c_x86_avx2_u8(const QDwTile& t) { tile<false>(t); }

}  // namespace octavo
