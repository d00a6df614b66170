// The fused multiply-add of a lane, a * b + c rounded once, and numbers of 16 bits. A family whose specification fuses
// includes this beside vec.h: every instruction set has it (ARMv7 from VFPv4 on), in plain C++ it is fmaf.
#pragma once

#include "simd/half.h"
#include "simd/vec.h"

namespace octavo {
namespace {

#if defined(OCTAVO_SIMD_SCALAR)
inline F32 fused(F32 a, F32 b, F32 c) { return {std::fma(a.v, b.v, c.v)}; }
inline F32 load_half(const uint16_t* p) { return {half_to_float(*p)}; }
#elif defined(__AVX512F__)
inline F32 fused(F32 a, F32 b, F32 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline F32 load_half(const uint16_t* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
#elif defined(__AVX2__)
inline F32 fused(F32 a, F32 b, F32 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline F32 load_half(const uint16_t* p) {
  return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
#elif defined(__ARM_NEON) || defined(__ARM_NEON__)
inline F32 fused(F32 a, F32 b, F32 c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
inline F32 load_half(const uint16_t* p) {
  const uint16x4_t halves = vld1_u16(p);
  float32x4_t floats;
  // Written out, because compilers of ARMv7 have the intrinsic only under a flag for the type.
#if defined(__aarch64__)
  __asm__("fcvtl %0.4s, %1.4h" : "=w"(floats) : "w"(halves));
#else
  __asm__("vcvt.f32.f16 %q0, %P1" : "=w"(floats) : "w"(halves));
#endif
  return {floats};
}
#else
inline F32 fused(F32 a, F32 b, F32 c) { return {std::fma(a.v, b.v, c.v)}; }
inline F32 load_half(const uint16_t* p) { return {half_to_float(*p)}; }
#endif

}  // namespace
}  // namespace octavo
