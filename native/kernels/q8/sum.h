// The sum of bytes, over whole vectors of them.
#pragma once

#include <cstdint>
#include <cstring>

#include "simd/vec.h"

namespace octavo {
namespace {

#if defined(OCTAVO_SIMD_SCALAR)

constexpr int64_t kSumLanes = 1;
struct ByteSum {
  uint64_t v = 0;
};
inline ByteSum add(ByteSum s, const uint8_t* x, uint8_t flip) { return {s.v + static_cast<uint8_t>(*x ^ flip)}; }
inline uint64_t total(ByteSum s) { return s.v; }

#elif defined(__AVX512BW__)

constexpr int64_t kSumLanes = 64;
struct ByteSum {
  __m512i v = _mm512_setzero_si512();
};
inline ByteSum add(ByteSum s, __m512i bytes, uint8_t flip) {
  const __m512i flipped = _mm512_xor_si512(bytes, _mm512_set1_epi8(static_cast<char>(flip)));
  return {_mm512_add_epi64(s.v, _mm512_sad_epu8(flipped, _mm512_setzero_si512()))};
}
inline ByteSum add(ByteSum s, const uint8_t* x, uint8_t flip) { return add(s, _mm512_loadu_si512(x), flip); }
inline uint64_t total(ByteSum s) { return static_cast<uint64_t>(_mm512_reduce_add_epi64(s.v)); }

#elif defined(__AVX2__)

constexpr int64_t kSumLanes = 32;
struct ByteSum {
  __m256i v = _mm256_setzero_si256();
};
inline ByteSum add(ByteSum s, const uint8_t* x, uint8_t flip) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x));
  const __m256i flipped = _mm256_xor_si256(bytes, _mm256_set1_epi8(static_cast<char>(flip)));
  return {_mm256_add_epi64(s.v, _mm256_sad_epu8(flipped, _mm256_setzero_si256()))};
}
inline uint64_t total(ByteSum s) {
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(s.v), _mm256_extracti128_si256(s.v, 1));
  return static_cast<uint64_t>(_mm_cvtsi128_si64(two)) + static_cast<uint64_t>(_mm_extract_epi64(two, 1));
}

#else

constexpr int64_t kSumLanes = 16;
// Pairs of bytes are summed in 16 bits, which hold 128 of them: one widening instead of three.
struct ByteSum {
  uint64x2_t v = vdupq_n_u64(0);
  uint16x8_t pairs = vdupq_n_u16(0);
  int room = 128;
};
inline uint64x2_t joined(ByteSum s) { return vpadalq_u32(s.v, vpaddlq_u16(s.pairs)); }
inline ByteSum add(ByteSum s, const uint8_t* x, uint8_t flip) {
  s.pairs = vpadalq_u8(s.pairs, veorq_u8(vld1q_u8(x), vdupq_n_u8(flip)));
  if (--s.room == 0) s = {joined(s), vdupq_n_u16(0), 128};
  return s;
}
inline uint64_t total(ByteSum s) {
  const uint64x2_t two = joined(s);
  return vgetq_lane_u64(two, 0) + vgetq_lane_u64(two, 1);
}

#endif

// int8 counts as uint8 less 128; what fills the last vector counts as zero.
int64_t sum(const uint8_t* x, bool is_signed, int64_t n) {
  const uint8_t flip = is_signed ? 0x80 : 0;
  ByteSum s;
  int64_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes) s = add(s, x + i, flip);
  if (i < n) {
#if !defined(OCTAVO_SIMD_SCALAR) && defined(__AVX512BW__)
    s = add(s, _mm512_mask_loadu_epi8(_mm512_set1_epi8(static_cast<char>(flip)), ~0ull >> (64 - (n - i)), x + i), flip);
#else
    uint8_t last[kSumLanes];
    std::memset(last, flip, sizeof last);
    std::memcpy(last, x + i, static_cast<size_t>(n - i));
    s = add(s, last, flip);
#endif
  }
  return static_cast<int64_t>(total(s)) - (is_signed ? 128 * n : 0);
}

}  // namespace
}  // namespace octavo
