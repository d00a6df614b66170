// Lookup in tables of sixteen floats by the low four bits of every lane.
#pragma once

#include "simd/vec.h"

namespace octavo {
namespace {

#if !defined(OCTAVO_SIMD_SCALAR) && defined(__AVX512F__)

struct Sixteen {
  __m512 v;
};
inline Sixteen load_sixteen(const float* p) { return {_mm512_loadu_ps(p)}; }
inline F32 look_up(const Sixteen& t, I32 index) { return {_mm512_permutexvar_ps(index.v, t.v)}; }

#elif !defined(OCTAVO_SIMD_SCALAR) && defined(__AVX2__)

struct Sixteen {
  __m256 low, high;
};
inline Sixteen load_sixteen(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
// A permutation takes three bits; the fourth, as the sign, selects.
inline F32 look_up(const Sixteen& t, I32 index) {
  const __m256 fourth = _mm256_castsi256_ps(_mm256_slli_epi32(index.v, 28));
  return {
      _mm256_blendv_ps(_mm256_permutevar8x32_ps(t.low, index.v), _mm256_permutevar8x32_ps(t.high, index.v), fourth)};
}

#elif !defined(OCTAVO_SIMD_SCALAR) && defined(__aarch64__)

struct Sixteen {
  uint8x16x4_t bytes;
};
inline Sixteen load_sixteen(const float* p) { return {vld1q_u8_x4(reinterpret_cast<const uint8_t*>(p))}; }
// The four bytes of entry i are 4i .. 4i + 3.
inline F32 look_up(const Sixteen& t, I32 index) {
  const uint32x4_t low = vandq_u32(vreinterpretq_u32_s32(index.v), vdupq_n_u32(15));
  const uint32x4_t bytes = vmlaq_u32(vdupq_n_u32(0x03020100), low, vdupq_n_u32(0x04040404));
  return {vreinterpretq_f32_u8(vqtbl4q_u8(t.bytes, vreinterpretq_u8_u32(bytes)))};
}

#else

struct Sixteen {
  const float* p;
};
inline Sixteen load_sixteen(const float* p) { return {p}; }
inline F32 look_up(const Sixteen& t, I32 index) {
  int32_t at[kLanes];
  float found[kLanes];
  store(at, index);
  for (int i = 0; i < kLanes; ++i) found[i] = t.p[at[i] & 15];
  return load(found);
}

#endif

}  // namespace
}  // namespace octavo
