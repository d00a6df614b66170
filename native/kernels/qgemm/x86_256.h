// What the 256-bit kernels share: 16 columns of accumulators to memory.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "kernels/qgemm/qgemm.h"

namespace octavo {
namespace {

inline int32_t load4(const void* p) {
  int32_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

struct Epilogue256 {
  __m256 m0, m1, lo, hi;
  __m256i zero_point;

  explicit Epilogue256(const QGemmTile& t)
      : m0(_mm256_setzero_ps()), m1(m0), lo(_mm256_set1_ps(t.requantize.lo)), hi(_mm256_set1_ps(t.requantize.hi)),
        zero_point(_mm256_set1_epi32(t.requantize.zero_point)) {
    if (t.store == QGemmStore::kInt32) return;
    m0 = _mm256_loadu_ps(t.multiplier);
    m1 = _mm256_loadu_ps(t.multiplier + 8);
  }

  inline __m256i scale(__m256i acc, __m256 m) const {
    const __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), m);
    return _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(scaled, lo), hi)), zero_point);
  }

  // Columns 0-7 in a0, 8-15 in a1.
  inline void store(const QGemmTile& t, size_t row, __m256i a0, __m256i a1) const {
    uint8_t* c = static_cast<uint8_t*>(t.c) + row * t.c_stride;
    if (t.store == QGemmStore::kInt32) {
      if (t.n >= 16) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(c), a0);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(c + 32), a1);
        return;
      }
      alignas(32) int32_t edge[16];
      _mm256_store_si256(reinterpret_cast<__m256i*>(edge), a0);
      _mm256_store_si256(reinterpret_cast<__m256i*>(edge + 8), a1);
      std::memcpy(c, edge, t.n * sizeof(int32_t));
      return;
    }
    // Values fit a byte of either signedness: keep the low byte of each, put the lanes in order.
    const __m256i low = _mm256_set1_epi32(0xFF);
    const __m256i words = _mm256_packus_epi32(_mm256_and_si256(scale(a0, m0), low), _mm256_and_si256(scale(a1, m1), low));
    const __m256i ordered = _mm256_permute4x64_epi64(words, 0xD8);
    const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
    if (t.n >= 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(c), bytes);
      return;
    }
    alignas(16) uint8_t edge[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(edge), bytes);
    std::memcpy(c, edge, t.n);
  }
};

}  // namespace
}  // namespace octavo
