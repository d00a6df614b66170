// Three planes of bytes to pixels of three, the way of every image into the engine.
#pragma once

#include <cstdint>

#include "simd/vec.h"

namespace octavo {
namespace {

#if defined(__AVX2__) && !defined(OCTAVO_SIMD_SCALAR)

// Where byte i of vector j comes from in plane c: a pixel, or nothing.
struct InterleaveIndices {
  alignas(16) uint8_t at[3][3][16];
  constexpr InterleaveIndices() : at() {
    for (int j = 0; j < 3; ++j)
      for (int c = 0; c < 3; ++c)
        for (int i = 0; i < 16; ++i)
          at[j][c][i] = (16 * j + i) % 3 == c ? static_cast<uint8_t>((16 * j + i) / 3) : 0x80;
  }
};

inline int64_t interleave_vectors(const uint8_t* a, const uint8_t* b, const uint8_t* c, uint8_t* y, int64_t n) {
  static constexpr InterleaveIndices indices;
  const auto load = [](const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); };
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m128i plane[3] = {load(a + i), load(b + i), load(c + i)};
    for (int j = 0; j < 3; ++j) {
      __m128i out = _mm_setzero_si128();
      for (int k = 0; k < 3; ++k) out = _mm_or_si128(out, _mm_shuffle_epi8(plane[k], load(indices.at[j][k])));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(y + 3 * i + 16 * j), out);
    }
  }
  return i;
}

#elif defined(__ARM_NEON) && !defined(OCTAVO_SIMD_SCALAR)

inline int64_t interleave_vectors(const uint8_t* a, const uint8_t* b, const uint8_t* c, uint8_t* y, int64_t n) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) vst3q_u8(y + 3 * i, (uint8x16x3_t{{vld1q_u8(a + i), vld1q_u8(b + i), vld1q_u8(c + i)}}));
  return i;
}

#else

inline int64_t interleave_vectors(const uint8_t*, const uint8_t*, const uint8_t*, uint8_t*, int64_t) { return 0; }

#endif

void interleave3(const uint8_t* a, const uint8_t* b, const uint8_t* c, uint8_t* y, int64_t n) {
  for (int64_t i = interleave_vectors(a, b, c, y, n); i < n; ++i) {
    y[3 * i] = a[i];
    y[3 * i + 1] = b[i];
    y[3 * i + 2] = c[i];
  }
}

}  // namespace
}  // namespace octavo
