// The border with float32 on 64-bit ARM, sixteen bytes at a time: no division, and no conversions, which take two
// cycles of one pipe on Cortex-A76 and Neoverse.
#pragma once

#include <arm_neon.h>

#include <cmath>
#include <cstring>

#include "kernels/q8/generic.h"
#include "kernels/requantize/requantize.h"

namespace octavo {
namespace {

// x / s to the last bit. r + r_low is 1 / s but for about 2^-48 of it, so q = x * r + x * r_low is a neighbour of the
// quotient; x - q * s is then exact, and q + (x - q * s) * r the correctly rounded quotient (P. Markstein, "Computation
// of elementary functions on the IBM RISC System/6000 processor", 1990). That holds while nothing overflows or becomes
// subnormal: s is between 2^-40 and 2^40, and x is bounded by 1024 s, beyond which all quotients have the same byte.
// Quotients too small for it round to 0 with any error.
struct ExactQuotient {
  float32x4_t s, r, r_low, lo, hi;

  static bool serves(float scale) { return scale >= 0x1p-40f && scale <= 0x1p40f; }
  explicit ExactQuotient(float scale)
      : s(vdupq_n_f32(scale)), lo(vdupq_n_f32(-1024 * scale)), hi(vdupq_n_f32(1024 * scale)) {
    const float reciprocal = 1.0f / scale;
    r = vdupq_n_f32(reciprocal);
    r_low = vdupq_n_f32(std::fma(-scale, reciprocal, 1.0f) * reciprocal);
  }
  // Of NaN 0.
  inline float32x4_t operator()(float32x4_t any) const {
    const float32x4_t number = vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(any), vceqq_f32(any, any)));
    const float32x4_t x = vminq_f32(vmaxq_f32(number, lo), hi);
    const float32x4_t q = vfmaq_f32(vmulq_f32(x, r_low), x, r);
    return vfmaq_f32(q, vfmsq_f32(x, q, s), r);
  }
};

// Sixteen values below 2^15 to bytes: an integer in the low bits of v + kRoundMagic, clamped as 16 bits.
struct RoundToBytes {
  int16x8_t lo, hi;
  uint8x16_t zero_point;
  float32x4_t magic = vdupq_n_f32(kRoundMagic);

  RoundToBytes(int32_t zp, int32_t qmin, int32_t qmax)
      : lo(vdupq_n_s16(static_cast<int16_t>(qmin - zp))),
        hi(vdupq_n_s16(static_cast<int16_t>(qmax - zp))),
        zero_point(vdupq_n_u8(static_cast<uint8_t>(zp))) {}

  inline uint8x16_t halves(float32x4_t a, float32x4_t b) const {
    const int16x8_t q =
        vuzp1q_s16(vreinterpretq_s16_f32(vaddq_f32(a, magic)), vreinterpretq_s16_f32(vaddq_f32(b, magic)));
    return vreinterpretq_u8_s16(vminq_s16(vmaxq_s16(q, lo), hi));
  }
  inline uint8x16_t operator()(float32x4_t a, float32x4_t b, float32x4_t c, float32x4_t d) const {
    return vaddq_u8(vuzp1q_u8(halves(a, b), halves(c, d)), zero_point);
  }
};

// bytes(i): sixteen of them.
template <class F>
inline void for_sixteens(uint8_t* y, int64_t n, F bytes) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) vst1q_u8(y + i, bytes(i));
  if (i == n) return;
  uint8_t edge[16];
  vst1q_u8(edge, bytes(i));
  std::memcpy(y + i, edge, static_cast<size_t>(n - i));
}

void quantize_by_sixteens(const float* x, uint8_t* y, int64_t n, float scale, int32_t zp, int32_t qmin, int32_t qmax) {
  if (!ExactQuotient::serves(scale)) return quantize(x, y, n, scale, zp, qmin, qmax);
  const ExactQuotient by_scale(scale);
  const RoundToBytes round(zp, qmin, qmax);
  for_sixteens(y, n, [&](int64_t i) __attribute__((always_inline)) {
    return round(by_scale(vld1q_f32(x + i)), by_scale(vld1q_f32(x + i + 4)), by_scale(vld1q_f32(x + i + 8)),
                 by_scale(vld1q_f32(x + i + 12)));
  });
}

// A byte in the low bits of 2^23 is a float; one with a sign is 128 more there.
void dequantize_by_sixteens(const uint8_t* x, bool is_signed, float* y, int64_t n, float scale, int32_t zp) {
  const uint8x16_t flip = vdupq_n_u8(is_signed ? 0x80 : 0), none = vdupq_n_u8(0);
  const float32x4_t zero = vdupq_n_f32(8388608.0f + static_cast<float>(zp + (is_signed ? 128 : 0))),
                    s = vdupq_n_f32(scale);
  const uint32x4_t base = vdupq_n_u32(0x4B000000);
  const auto real = [&](uint16x4_t q) {
    return vmulq_f32(vsubq_f32(vreinterpretq_f32_u32(vaddw_u16(base, q)), zero), s);
  };
  const auto sixteen = [&](const uint8_t* from, float* to) {
    const uint8x16_t q = veorq_u8(vld1q_u8(from), flip);
    const uint16x8_t low = vreinterpretq_u16_u8(vzip1q_u8(q, none)), high = vreinterpretq_u16_u8(vzip2q_u8(q, none));
    vst1q_f32(to, real(vget_low_u16(low)));
    vst1q_f32(to + 4, real(vget_high_u16(low)));
    vst1q_f32(to + 8, real(vget_low_u16(high)));
    vst1q_f32(to + 12, real(vget_high_u16(high)));
  };
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) sixteen(x + i, y + i);
  if (i == n) return;
  float edge[16];
  sixteen(x + i, edge);
  std::memcpy(y + i, edge, static_cast<size_t>(n - i) * sizeof(float));
}

}  // namespace
}  // namespace octavo
