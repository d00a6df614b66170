// Requantization of four accumulators with NEON, for ARMv8 and ARMv7. ARMv7 rounds only by adding 1.5 * 2^23.
#pragma once

#include <arm_neon.h>

#include <cstring>

#include "kernels/requantize/requantize.h"

namespace octavo {
namespace {

struct NeonRequantize {
  float32x4_t lo, hi;
  int32x4_t zero_point;

  explicit NeonRequantize(const Requantize& r)
      : lo(vdupq_n_f32(r.lo)), hi(vdupq_n_f32(r.hi)), zero_point(vdupq_n_s32(r.zero_point)) {}

  inline int32x4_t operator()(int32x4_t acc, float32x4_t multiplier) const {
    const float32x4_t clamped = vminq_f32(vmaxq_f32(vmulq_f32(vcvtq_f32_s32(acc), multiplier), lo), hi);
#if defined(__aarch64__)
    return vaddq_s32(vcvtnq_s32_f32(clamped), zero_point);
#else
    // The low bits of the sum are the integer; its float bits start at those of the constant.
    const float32x4_t magic = vdupq_n_f32(kRoundMagic);
    return vaddq_s32(vsubq_s32(vreinterpretq_s32_f32(vaddq_f32(clamped, magic)), vreinterpretq_s32_f32(magic)), zero_point);
#endif
  }
};

// The low bytes of eight values, written to n <= 8 bytes.
inline void store_low_bytes(uint8_t* out, int32x4_t a, int32x4_t b, size_t n) {
  const uint8x8_t bytes = vmovn_u16(vreinterpretq_u16_s16(vcombine_s16(vmovn_s32(a), vmovn_s32(b))));
  if (n >= 8) {
    vst1_u8(out, bytes);
    return;
  }
  uint8_t edge[8];
  vst1_u8(edge, bytes);
  std::memcpy(out, edge, n);
}

inline void store_words(int32_t* out, int32x4_t a, size_t n) {
  if (n >= 4) {
    vst1q_s32(out, a);
    return;
  }
  int32_t edge[4];
  vst1q_s32(edge, a);
  std::memcpy(out, edge, n * sizeof(int32_t));
}

}  // namespace
}  // namespace octavo
