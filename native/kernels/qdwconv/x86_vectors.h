// Vectors of 1, 2 and 4 lanes of 128 bits with one set of names. lanes(p) gathers 16 bytes from p, p + 64, ... into
// each lane.
#pragma once

#include <immintrin.h>

#include "kernels/qdwconv/rolling.h"

// The same instruction in two encodings, EVEX and VEX.
#if defined(__AVX512VNNI__)
#define OCTAVO_DOT(width) _mm##width##_dpbusd_epi32
#else
#define OCTAVO_DOT(width) _mm##width##_dpbusd_avx_epi32
#endif

namespace octavo {
namespace {

struct V128 {
  using Int = __m128i;
  using Float = __m128;
  static constexpr size_t kLanes = 1;
  static OCTAVO_INLINE Int load(const void* p) { return _mm_loadu_si128(static_cast<const Int*>(p)); }
  static OCTAVO_INLINE void store(void* p, Int v) { _mm_storeu_si128(static_cast<Int*>(p), v); }
  static OCTAVO_INLINE Int low8(Int a, Int b) { return _mm_unpacklo_epi8(a, b); }
  static OCTAVO_INLINE Int high8(Int a, Int b) { return _mm_unpackhi_epi8(a, b); }
  static OCTAVO_INLINE Int low16(Int a, Int b) { return _mm_unpacklo_epi16(a, b); }
  static OCTAVO_INLINE Int high16(Int a, Int b) { return _mm_unpackhi_epi16(a, b); }
  static OCTAVO_INLINE Int sub32(Int a, Int b) { return _mm_sub_epi32(a, b); }
  static OCTAVO_INLINE Int sub16(Int a, Int b) { return _mm_subs_epi16(a, b); }
  static OCTAVO_INLINE Int min16(Int a, Int b) { return _mm_min_epi16(a, b); }
  static OCTAVO_INLINE Int pack32(Int a, Int b) { return _mm_packs_epi32(a, b); }
  static OCTAVO_INLINE Int pack16(Int a, Int b) { return _mm_packus_epi16(a, b); }
  static OCTAVO_INLINE Int add8(Int a, Int b) { return _mm_add_epi8(a, b); }
  static OCTAVO_INLINE Int dot(Int acc, Int a, Int w) { return OCTAVO_DOT()(acc, a, w); }
  static OCTAVO_INLINE Int flip(Int a) { return _mm_xor_si128(a, _mm_set1_epi8(static_cast<char>(0x80))); }
  static OCTAVO_INLINE Int fill8(int8_t v) { return _mm_set1_epi8(v); }
  static OCTAVO_INLINE Int fill16(int16_t v) { return _mm_set1_epi16(v); }
  static OCTAVO_INLINE Float fill_float(float v) { return _mm_set1_ps(v); }
  static OCTAVO_INLINE Float as_float(Int a) { return _mm_castsi128_ps(a); }
  static OCTAVO_INLINE Float to_float(Int a) { return _mm_cvtepi32_ps(a); }
  static OCTAVO_INLINE Int to_int(Float a) { return _mm_cvtps_epi32(a); }
  static OCTAVO_INLINE Float mul(Float a, Float b) { return _mm_mul_ps(a, b); }
  static OCTAVO_INLINE Float min(Float a, Float b) { return _mm_min_ps(a, b); }
  static OCTAVO_INLINE Int lanes(const void* p) { return load(p); }
  static OCTAVO_INLINE void store_lanes(int32_t* p, Int v) { store(p, v); }
};

struct V256 {
  using Int = __m256i;
  using Float = __m256;
  static constexpr size_t kLanes = 2;
  static OCTAVO_INLINE Int load(const void* p) { return _mm256_loadu_si256(static_cast<const Int*>(p)); }
  static OCTAVO_INLINE void store(void* p, Int v) { _mm256_storeu_si256(static_cast<Int*>(p), v); }
  static OCTAVO_INLINE Int low8(Int a, Int b) { return _mm256_unpacklo_epi8(a, b); }
  static OCTAVO_INLINE Int high8(Int a, Int b) { return _mm256_unpackhi_epi8(a, b); }
  static OCTAVO_INLINE Int low16(Int a, Int b) { return _mm256_unpacklo_epi16(a, b); }
  static OCTAVO_INLINE Int high16(Int a, Int b) { return _mm256_unpackhi_epi16(a, b); }
  static OCTAVO_INLINE Int sub32(Int a, Int b) { return _mm256_sub_epi32(a, b); }
  static OCTAVO_INLINE Int sub16(Int a, Int b) { return _mm256_subs_epi16(a, b); }
  static OCTAVO_INLINE Int min16(Int a, Int b) { return _mm256_min_epi16(a, b); }
  static OCTAVO_INLINE Int pack32(Int a, Int b) { return _mm256_packs_epi32(a, b); }
  static OCTAVO_INLINE Int pack16(Int a, Int b) { return _mm256_packus_epi16(a, b); }
  static OCTAVO_INLINE Int add8(Int a, Int b) { return _mm256_add_epi8(a, b); }
  static OCTAVO_INLINE Int dot(Int acc, Int a, Int w) { return OCTAVO_DOT(256)(acc, a, w); }
  static OCTAVO_INLINE Int flip(Int a) { return _mm256_xor_si256(a, _mm256_set1_epi8(static_cast<char>(0x80))); }
  static OCTAVO_INLINE Int fill8(int8_t v) { return _mm256_set1_epi8(v); }
  static OCTAVO_INLINE Int fill16(int16_t v) { return _mm256_set1_epi16(v); }
  static OCTAVO_INLINE Float fill_float(float v) { return _mm256_set1_ps(v); }
  static OCTAVO_INLINE Float as_float(Int a) { return _mm256_castsi256_ps(a); }
  static OCTAVO_INLINE Float to_float(Int a) { return _mm256_cvtepi32_ps(a); }
  static OCTAVO_INLINE Int to_int(Float a) { return _mm256_cvtps_epi32(a); }
  static OCTAVO_INLINE Float mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static OCTAVO_INLINE Float min(Float a, Float b) { return _mm256_min_ps(a, b); }
  static OCTAVO_INLINE Int lanes(const void* p) {
    const auto* lane = static_cast<const uint8_t*>(p);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(V128::load(lane)), V128::load(lane + 64), 1);
  }
  static OCTAVO_INLINE void store_lanes(int32_t* p, Int v) {
    V128::store(p, _mm256_castsi256_si128(v));
    V128::store(p + 16, _mm256_extracti128_si256(v, 1));
  }
};

#if defined(__AVX512F__)
struct V512 {
  using Int = __m512i;
  using Float = __m512;
  static constexpr size_t kLanes = 4;
  static OCTAVO_INLINE Int load(const void* p) { return _mm512_loadu_si512(p); }
  static OCTAVO_INLINE void store(void* p, Int v) { _mm512_storeu_si512(p, v); }
  static OCTAVO_INLINE Int low8(Int a, Int b) { return _mm512_unpacklo_epi8(a, b); }
  static OCTAVO_INLINE Int high8(Int a, Int b) { return _mm512_unpackhi_epi8(a, b); }
  static OCTAVO_INLINE Int low16(Int a, Int b) { return _mm512_unpacklo_epi16(a, b); }
  static OCTAVO_INLINE Int high16(Int a, Int b) { return _mm512_unpackhi_epi16(a, b); }
  static OCTAVO_INLINE Int sub32(Int a, Int b) { return _mm512_sub_epi32(a, b); }
  static OCTAVO_INLINE Int sub16(Int a, Int b) { return _mm512_subs_epi16(a, b); }
  static OCTAVO_INLINE Int min16(Int a, Int b) { return _mm512_min_epi16(a, b); }
  static OCTAVO_INLINE Int pack32(Int a, Int b) { return _mm512_packs_epi32(a, b); }
  static OCTAVO_INLINE Int pack16(Int a, Int b) { return _mm512_packus_epi16(a, b); }
  static OCTAVO_INLINE Int add8(Int a, Int b) { return _mm512_add_epi8(a, b); }
  static OCTAVO_INLINE Int dot(Int acc, Int a, Int w) { return _mm512_dpbusd_epi32(acc, a, w); }
  static OCTAVO_INLINE Int flip(Int a) { return _mm512_xor_si512(a, _mm512_set1_epi8(static_cast<char>(0x80))); }
  static OCTAVO_INLINE Int fill8(int8_t v) { return _mm512_set1_epi8(v); }
  static OCTAVO_INLINE Int fill16(int16_t v) { return _mm512_set1_epi16(v); }
  static OCTAVO_INLINE Float fill_float(float v) { return _mm512_set1_ps(v); }
  static OCTAVO_INLINE Float as_float(Int a) { return _mm512_castsi512_ps(a); }
  static OCTAVO_INLINE Float to_float(Int a) { return _mm512_cvtepi32_ps(a); }
  static OCTAVO_INLINE Int to_int(Float a) { return _mm512_cvtps_epi32(a); }
  static OCTAVO_INLINE Float mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static OCTAVO_INLINE Float min(Float a, Float b) { return _mm512_min_ps(a, b); }
  static OCTAVO_INLINE Int lanes(const void* p) {
    const auto* lane = static_cast<const uint8_t*>(p);
    return _mm512_inserti64x4(_mm512_castsi256_si512(V256::lanes(lane)), V256::lanes(lane + 128), 1);
  }
  static OCTAVO_INLINE void store_lanes(int32_t* p, Int v) {
    V256::store_lanes(p, _mm512_castsi512_si256(v));
    V256::store_lanes(p + 32, _mm512_extracti64x4_epi64(v, 1));
  }
};
#endif

}  // namespace
}  // namespace octavo

#undef OCTAVO_DOT
