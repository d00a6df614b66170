// Byte operations whose vectors hold bytes, not the 32-bit lanes of simd/: table lookup and maximum.
#pragma once

#include <cstdint>

#include "simd/vec.h"

namespace octavo {
namespace {

#if defined(OCTAVO_SIMD_SCALAR)

constexpr int kByteLanes = 1;
struct Bytes {
  uint8_t v;
};
inline Bytes load_raw(const uint8_t* p) { return {*p}; }
inline void store_raw(uint8_t* p, Bytes a) { *p = a.v; }
inline Bytes max_u8(Bytes a, Bytes b) { return a.v > b.v ? a : b; }
inline Bytes max_i8(Bytes a, Bytes b) { return static_cast<int8_t>(a.v) > static_cast<int8_t>(b.v) ? a : b; }

#elif defined(__AVX512BW__)

constexpr int kByteLanes = 64;
struct Bytes {
  __m512i v;
};
inline Bytes load_raw(const uint8_t* p) { return {_mm512_loadu_si512(p)}; }
inline void store_raw(uint8_t* p, Bytes a) { _mm512_storeu_si512(p, a.v); }
inline Bytes max_u8(Bytes a, Bytes b) { return {_mm512_max_epu8(a.v, b.v)}; }
inline Bytes max_i8(Bytes a, Bytes b) { return {_mm512_max_epi8(a.v, b.v)}; }
#define OCTAVO_LOOKUP 1
struct Table {
  __m512i quarters[4];
};
inline Table load_table(const uint8_t* t) {
  Table table;
  for (int i = 0; i < 4; ++i) table.quarters[i] = _mm512_loadu_si512(t + 64 * i);
  return table;
}
// Indices 0..255 in 16-bit lanes. The table is 128 words: two lookups of 64 words, and of the word the byte.
inline __m512i look_up_words(const Table& table, __m512i index) {
  const __m512i word = _mm512_srli_epi16(index, 1);
  const __m512i low = _mm512_permutex2var_epi16(table.quarters[0], word, table.quarters[1]);
  const __m512i high = _mm512_permutex2var_epi16(table.quarters[2], word, table.quarters[3]);
  const __m512i found = _mm512_mask_blend_epi16(_mm512_test_epi16_mask(index, _mm512_set1_epi16(0x80)), low, high);
  return _mm512_mask_srli_epi16(found, _mm512_test_epi16_mask(index, _mm512_set1_epi16(1)), found, 8);
}
inline Bytes look_up(const Table& table, Bytes x) {
  const __m512i even = look_up_words(table, _mm512_and_si512(x.v, _mm512_set1_epi16(0xFF)));
  const __m512i odd = look_up_words(table, _mm512_srli_epi16(x.v, 8));
  return {_mm512_mask_blend_epi8(0xAAAAAAAAAAAAAAAAull, even, _mm512_slli_epi16(odd, 8))};
}

#elif defined(__AVX2__)

constexpr int kByteLanes = 32;
struct Bytes {
  __m256i v;
};
inline Bytes load_raw(const uint8_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
inline void store_raw(uint8_t* p, Bytes a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v); }
inline Bytes max_u8(Bytes a, Bytes b) { return {_mm256_max_epu8(a.v, b.v)}; }
inline Bytes max_i8(Bytes a, Bytes b) { return {_mm256_max_epi8(a.v, b.v)}; }
#define OCTAVO_LOOKUP 1
struct Table {
  __m256i rows[16];
};
inline Table load_table(const uint8_t* t) {
  Table table;
  for (int i = 0; i < 16; ++i)
    table.rows[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(t + 16 * i)));
  return table;
}
// Sixteen shuffles of 16 entries; a shuffle gives 0 where the top bit of its index is set, and saturating
// arithmetic sets it for every index outside of the row.
inline Bytes look_up(const Table& table, Bytes x) {
  const __m256i row = _mm256_set1_epi8(16), bias = _mm256_set1_epi8(0x70);
  __m256i index = x.v, y = _mm256_setzero_si256();
  for (int i = 0; i < 16; ++i) {
    y = _mm256_or_si256(y, _mm256_shuffle_epi8(table.rows[i], _mm256_adds_epu8(index, bias)));
    index = _mm256_sub_epi8(index, row);
  }
  return {y};
}

#elif defined(__ARM_NEON) || defined(__ARM_NEON__)

constexpr int kByteLanes = 16;
struct Bytes {
  uint8x16_t v;
};
inline Bytes load_raw(const uint8_t* p) { return {vld1q_u8(p)}; }
inline void store_raw(uint8_t* p, Bytes a) { vst1q_u8(p, a.v); }
inline Bytes max_u8(Bytes a, Bytes b) { return {vmaxq_u8(a.v, b.v)}; }
inline Bytes max_i8(Bytes a, Bytes b) {
  return {vreinterpretq_u8_s8(vmaxq_s8(vreinterpretq_s8_u8(a.v), vreinterpretq_s8_u8(b.v)))};
}
#if defined(__aarch64__)  // ARMv7's lookup of 32 entries by 8 lanes loses to plain loads
#define OCTAVO_LOOKUP 1
struct Table {
  uint8x16x4_t quarters[4];
};
inline Table load_table(const uint8_t* t) {
  Table table;
  for (int i = 0; i < 4; ++i) table.quarters[i] = vld1q_u8_x4(t + 64 * i);
  return table;
}
// A lookup of 64 entries gives 0 outside of them. One that leaves what is there (tbx) takes twice the time on Neoverse
// N2.
inline Bytes look_up(const Table& table, Bytes x) {
  const auto quarter = [&](int i) {
    return vqtbl4q_u8(table.quarters[i], veorq_u8(x.v, vdupq_n_u8(static_cast<uint8_t>(64 * i))));
  };
  return {vorrq_u8(vorrq_u8(quarter(0), quarter(1)), vorrq_u8(quarter(2), quarter(3)))};
}
#endif

#else
#error "no bytes for this instruction set"
#endif

void lookup(const uint8_t* x, uint8_t* y, int64_t n, const uint8_t table[256]) {
  int64_t i = 0;
#if defined(OCTAVO_LOOKUP)
  if (n >= kByteLanes) {
    const Table rows = load_table(table);
    for (; i + kByteLanes <= n; i += kByteLanes) store_raw(y + i, look_up(rows, load_raw(x + i)));
  }
#endif
  for (; i < n; ++i) y[i] = table[x[i]];
}

template <bool kSigned>
inline Bytes max_bytes(const uint8_t* const* x, int64_t taps, int64_t i) {
  Bytes most = load_raw(x[0] + i);
  for (int64_t tap = 1; tap < taps; ++tap)
    most = kSigned ? max_i8(most, load_raw(x[tap] + i)) : max_u8(most, load_raw(x[tap] + i));
  return most;
}

template <bool kSigned>
inline void max_typed(const uint8_t* const* x, int64_t taps, uint8_t* y, int64_t n) {
  constexpr uint8_t kFlip = kSigned ? 0x80 : 0;
  int64_t i = 0;
  for (; i + kByteLanes <= n; i += kByteLanes) store_raw(y + i, max_bytes<kSigned>(x, taps, i));
  if (i == n) return;
  if (n > kByteLanes) {  // once more over some that are done: maximum of the same
    store_raw(y + n - kByteLanes, max_bytes<kSigned>(x, taps, n - kByteLanes));
    return;
  }
  for (; i < n; ++i) {
    uint8_t most = x[0][i] ^ kFlip;
    for (int64_t tap = 1; tap < taps; ++tap)
      if ((x[tap][i] ^ kFlip) > most) most = x[tap][i] ^ kFlip;
    y[i] = most ^ kFlip;
  }
}

void max_of(const uint8_t* const* x, int64_t taps, bool is_signed, uint8_t* y, int64_t n) {
  if (is_signed) max_typed<true>(x, taps, y, n);
  else max_typed<false>(x, taps, y, n);
}

}  // namespace
}  // namespace octavo
