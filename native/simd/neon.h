// Four lanes of NEON, 64-bit and 32-bit ARM. Contract: simd/vec.h. ARMv7 NEON has no division, square root or
// rounding, and always flushes subnormals (as the engine asks of the other instruction sets while a model runs).
#pragma once

#include <arm_neon.h>

#include <cmath>
#include <cstdint>
#include <cstring>

namespace octavo {
namespace {

constexpr int kLanes = 4;
struct F32 {
  float32x4_t v;
};
struct I32 {
  int32x4_t v;
};
struct M32 {
  uint32x4_t v;
};

inline F32 splat(float x) { return {vdupq_n_f32(x)}; }
inline I32 splat(int32_t x) { return {vdupq_n_s32(x)}; }
inline F32 load(const float* p) { return {vld1q_f32(p)}; }
inline void store(float* p, F32 a) { vst1q_f32(p, a.v); }
inline I32 load_i32(const int32_t* p) { return {vld1q_s32(p)}; }
inline void store(int32_t* p, I32 a) { vst1q_s32(p, a.v); }
inline uint8x8_t load_four(const uint8_t* p) {
  uint32_t word;
  std::memcpy(&word, p, 4);
  return vreinterpret_u8_u32(vdup_n_u32(word));
}
inline I32 load_u8(const uint8_t* p) {
  return {vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(load_four(p)))))};
}
inline I32 load_i8(const uint8_t* p) { return {vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(load_four(p)))))}; }
inline void store_bytes(uint8_t* p, I32 a) {
  const uint16x4_t halves = vmovn_u32(vreinterpretq_u32_s32(a.v));
  const uint32_t word = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(halves, halves))), 0);
  std::memcpy(p, &word, 4);
}

inline F32 operator+(F32 a, F32 b) { return {vaddq_f32(a.v, b.v)}; }
inline F32 operator-(F32 a, F32 b) { return {vsubq_f32(a.v, b.v)}; }
inline F32 operator*(F32 a, F32 b) { return {vmulq_f32(a.v, b.v)}; }
inline M32 operator<(F32 a, F32 b) { return {vcltq_f32(a.v, b.v)}; }
inline M32 operator<=(F32 a, F32 b) { return {vcleq_f32(a.v, b.v)}; }
inline M32 operator==(F32 a, F32 b) { return {vceqq_f32(a.v, b.v)}; }
inline F32 select(M32 m, F32 a, F32 b) { return {vbslq_f32(m.v, a.v, b.v)}; }
inline I32 select(M32 m, I32 a, I32 b) { return {vbslq_s32(m.v, a.v, b.v)}; }
// Not vmaxq: its NaN and signed zero differ from those of the contract.
inline F32 max(F32 a, F32 b) { return select(b < a, a, b); }
inline F32 min(F32 a, F32 b) { return select(a < b, a, b); }

inline I32 bits(F32 a) { return {vreinterpretq_s32_f32(a.v)}; }
inline F32 from_bits(I32 a) { return {vreinterpretq_f32_s32(a.v)}; }
inline F32 to_float(I32 a) { return {vcvtq_f32_s32(a.v)}; }
inline I32 to_int(F32 a) { return {vcvtq_s32_f32(a.v)}; }

inline I32 operator+(I32 a, I32 b) { return {vaddq_s32(a.v, b.v)}; }
inline I32 operator-(I32 a, I32 b) { return {vsubq_s32(a.v, b.v)}; }
inline I32 operator*(I32 a, I32 b) { return {vmulq_s32(a.v, b.v)}; }
inline I32 operator&(I32 a, I32 b) { return {vandq_s32(a.v, b.v)}; }
inline I32 operator|(I32 a, I32 b) { return {vorrq_s32(a.v, b.v)}; }
inline M32 operator<(I32 a, I32 b) { return {vcltq_s32(a.v, b.v)}; }
inline I32 max(I32 a, I32 b) { return {vmaxq_s32(a.v, b.v)}; }
inline I32 min(I32 a, I32 b) { return {vminq_s32(a.v, b.v)}; }
template <int n>
inline I32 shift_left(I32 a) {
  return {vshlq_n_s32(a.v, n)};
}
template <int n>
inline I32 shift_right(I32 a) {
  return {vshrq_n_s32(a.v, n)};
}

template <int n>
inline F32 shift_down(F32 a) {
  return {vextq_f32(a.v, a.v, n)};
}

#if defined(__aarch64__)
inline F32 operator/(F32 a, F32 b) { return {vdivq_f32(a.v, b.v)}; }
inline F32 sqrt(F32 a) { return {vsqrtq_f32(a.v)}; }
inline F32 rint(F32 a) { return {vrndnq_f32(a.v)}; }
#else
inline F32 operator/(F32 a, F32 b) {
  float x[4], y[4];
  vst1q_f32(x, a.v);
  vst1q_f32(y, b.v);
  for (int i = 0; i < 4; ++i) x[i] /= y[i];
  return {vld1q_f32(x)};
}
inline F32 sqrt(F32 a) {
  float x[4];
  vst1q_f32(x, a.v);
  for (int i = 0; i < 4; ++i) x[i] = std::sqrt(x[i]);
  return {vld1q_f32(x)};
}
// Adding and taking away 2^23 rounds half to even; larger values (and NaN) are integers already.
inline F32 rint(F32 a) {
  const float32x4_t two23 = vdupq_n_f32(8388608.0f);
  const float32x4_t magnitude = vabsq_f32(a.v);
  const float32x4_t rounded = vsubq_f32(vaddq_f32(magnitude, two23), two23);
  const float32x4_t with_sign = vbslq_f32(vdupq_n_u32(0x80000000u), a.v, rounded);
  return {vbslq_f32(vcltq_f32(magnitude, two23), with_sign, a.v)};
}
#endif

}  // namespace
}  // namespace octavo
