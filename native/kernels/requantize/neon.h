// Requantization with NEON, for ARMv8 and ARMv7. All ways below give the bits of requantize_one and add_residual_one:
// bounds are integers, so clamping before and after rounding are the same.
#pragma once

#include <arm_neon.h>

#include <cstring>

#include "kernels/requantize/requantize.h"

namespace octavo {
namespace {

// Four accumulators to four int32.
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
    return vaddq_s32(vsubq_s32(vreinterpretq_s32_f32(vaddq_f32(clamped, magic)), vreinterpretq_s32_f32(magic)),
                     zero_point);
#endif
  }
};

// The low 16 bits of eight values.
inline uint16x8_t low_halves(uint32x4_t a, uint32x4_t b) {
#if defined(__aarch64__)
  return vuzp1q_u16(vreinterpretq_u16_u32(a), vreinterpretq_u16_u32(b));
#else
  return vcombine_u16(vmovn_u32(a), vmovn_u32(b));
#endif
}

inline uint8x16_t low_bytes(uint16x8_t a, uint16x8_t b) {
#if defined(__aarch64__)
  return vuzp1q_u8(vreinterpretq_u8_u16(a), vreinterpretq_u8_u16(b));
#else
  return vcombine_u8(vmovn_u16(a), vmovn_u16(b));
#endif
}

// Sixteen accumulators to sixteen bytes. An integer in the low bits of v + kRoundMagic needs no conversion: those take
// two cycles of the one pipe that has them on Cortex-A76 and Neoverse, an addition half of one.
struct NeonRoundByAdding {
  float32x4_t lo, hi, magic;
  uint8x16_t zero_point;

  explicit NeonRoundByAdding(const Requantize& r)
      : lo(vdupq_n_f32(r.lo)),
        hi(vdupq_n_f32(r.hi)),
        magic(vdupq_n_f32(kRoundMagic)),
        zero_point(vdupq_n_u8(static_cast<uint8_t>(r.zero_point))) {}

  inline uint32x4_t rounded(int32x4_t acc, float32x4_t multiplier) const {
    const float32x4_t clamped = vminq_f32(vmaxq_f32(vmulq_f32(vcvtq_f32_s32(acc), multiplier), lo), hi);
    return vreinterpretq_u32_f32(vaddq_f32(clamped, magic));
  }
  inline uint8x16_t operator()(const int32x4_t (&acc)[4], const float32x4_t (&m)[4]) const {
    const uint16x8_t low = low_halves(rounded(acc[0], m[0]), rounded(acc[1], m[1]));
    const uint16x8_t high = low_halves(rounded(acc[2], m[2]), rounded(acc[3], m[3]));
    return vaddq_u8(low_bytes(low, high), zero_point);
  }
};

#if defined(__aarch64__)
// The same of sums that Requantize calls exact: they start at kStart, are floats then, and their products stay within
// 16 bits when rounded. Narrowing saturates them to one bound or both, once an even number was added: ties stay what
// they were.
struct NeonRoundBounded {
  static constexpr int32_t kStart = 0x4B400000;  // the bits of kRoundMagic

  float32x4_t base, magic;
  int16x8_t odd;
  int8x16_t hi;
  uint8x16_t offset;
  bool plain;  // saturation is the clamp, what it leaves the output

  explicit NeonRoundBounded(const Requantize& r) : base(vdupq_n_f32(kRoundMagic)) {
    const int lo = static_cast<int>(r.lo), range = static_cast<int>(r.hi) - lo;
    const int shift = -128 - lo, rest = shift & 1, zero_point = lo + r.zero_point + 128;
    magic = vdupq_n_f32(kRoundMagic + static_cast<float>(shift - rest));
    odd = vdupq_n_s16(static_cast<int16_t>(rest));
    hi = vdupq_n_s8(static_cast<int8_t>(range - 128));
    offset = vdupq_n_u8(static_cast<uint8_t>(zero_point));
    plain = rest == 0 && range == 255 && (zero_point & 0xFF) == 0;
  }

  // Without kExact: of sums that start at 0, of Requantize::fits_int16.
  template <bool kExact>
  inline float32x4_t scaled(int32x4_t acc, float32x4_t multiplier) const {
    const float32x4_t sum = kExact ? vsubq_f32(vreinterpretq_f32_s32(acc), base) : vcvtq_f32_s32(acc);
    return vmulq_f32(sum, multiplier);
  }
  template <bool kExact>
  inline uint32x4_t rounded(int32x4_t acc, float32x4_t multiplier) const {
    return vreinterpretq_u32_f32(vaddq_f32(scaled<kExact>(acc, multiplier), magic));
  }
  template <bool kPlain>
  inline uint8x8_t bytes(uint16x8_t rounded_halves) const {
    const int16x8_t words = vreinterpretq_s16_u16(rounded_halves);
    if (kPlain) return vreinterpret_u8_s8(vqmovn_s16(words));
    return vadd_u8(vreinterpret_u8_s8(vmin_s8(vqmovn_s16(vaddq_s16(words, odd)), vget_low_s8(hi))),
                   vget_low_u8(offset));
  }
  template <bool kPlain>
  inline uint8x16_t bytes(uint16x8_t rounded_low, uint16x8_t rounded_high) const {
    const int16x8_t low = vreinterpretq_s16_u16(rounded_low), high = vreinterpretq_s16_u16(rounded_high);
    if (kPlain) return vreinterpretq_u8_s8(vqmovn_high_s16(vqmovn_s16(low), high));
    const int8x16_t words = vqmovn_high_s16(vqmovn_s16(vaddq_s16(low, odd)), vaddq_s16(high, odd));
    return vaddq_u8(vreinterpretq_u8_s8(vminq_s8(words, hi)), offset);
  }
};

// Eight such sums and eight bytes of a residual, where ResidualAdd::fits_int16 holds and `odd` is 0, to theirs.
struct NeonAddBounded {
  float32x4_t lo, hi, magic, ra, rb, float_base;
  uint32x4_t base;
  uint8x8_t flip;
  NeonRoundBounded sum;

  NeonAddBounded(const Requantize& r, const ResidualAdd& add)
      : lo(vdupq_n_f32(r.lo)),
        hi(vdupq_n_f32(r.hi)),
        magic(vdupq_n_f32(kRoundMagic)),
        ra(vdupq_n_f32(add.ra)),
        rb(vdupq_n_f32(add.rb)),
        float_base(vdupq_n_f32(8388608.0f + static_cast<float>(add.zb + (add.is_signed ? 128 : 0)))),
        base(vdupq_n_u32(0x4B000000)),
        flip(vdup_n_u8(add.is_signed ? 0x80 : 0)),
        sum({add.lo, add.hi, add.even}) {}

  template <bool kExact>
  inline uint32x4_t rounded(int32x4_t acc, float32x4_t multiplier, uint16x4_t residual) const {
    const float32x4_t clamped = vminq_f32(vmaxq_f32(sum.scaled<kExact>(acc, multiplier), lo), hi);
    const float32x4_t a = vsubq_f32(vaddq_f32(clamped, magic), magic);
    const float32x4_t b = vsubq_f32(vreinterpretq_f32_u32(vaddw_u16(base, residual)), float_base);
    return vreinterpretq_u32_f32(vaddq_f32(vaddq_f32(vmulq_f32(ra, a), vmulq_f32(rb, b)), sum.magic));
  }
  template <bool kExact>
  inline uint8x8_t bytes(const int32x4_t (&acc)[2], float32x4_t m0, float32x4_t m1, uint8x8_t residual) const {
    const uint16x8_t r = vmovl_u8(veor_u8(residual, flip));
    const uint16x8_t words =
        low_halves(rounded<kExact>(acc[0], m0, vget_low_u16(r)), rounded<kExact>(acc[1], m1, vget_high_u16(r)));
    return narrowed(words);
  }
  inline uint8x8_t narrowed(uint16x8_t words) const {
    return sum.plain ? sum.bytes<true>(words) : sum.bytes<false>(words);
  }
  inline uint8x16_t narrowed(uint16x8_t low, uint16x8_t high) const {
    return sum.plain ? sum.bytes<true>(low, high) : sum.bytes<false>(low, high);
  }
};

// The same of sixteen for Cortex-A57 and A72, where a float operation on four values takes both pipes and one on eight
// words a single one: the requantized values are clamped as words, and narrowed by XTN, which is dearer than UZP
// elsewhere.
struct NeonAddByWords {
  float32x4_t magic, ra, rb, float_base;
  int32x4_t magic_bits;
  uint32x4_t base;
  int16x8_t lo, hi;
  uint8x16_t flip;
  NeonRoundBounded sum;

  NeonAddByWords(const Requantize& r, const ResidualAdd& add)
      : magic(vdupq_n_f32(kRoundMagic)),
        ra(vdupq_n_f32(add.ra)),
        rb(vdupq_n_f32(add.rb)),
        float_base(vdupq_n_f32(8388608.0f + static_cast<float>(add.zb + (add.is_signed ? 128 : 0)))),
        magic_bits(vdupq_n_s32(NeonRoundBounded::kStart)),
        base(vdupq_n_u32(0x4B000000)),
        lo(vdupq_n_s16(static_cast<int16_t>(r.lo))),
        hi(vdupq_n_s16(static_cast<int16_t>(r.hi))),
        flip(vdupq_n_u8(add.is_signed ? 0x80 : 0)),
        sum({add.lo, add.hi, add.even}) {}

  static inline int16x8_t words(float32x4_t low, float32x4_t high) {
    return vreinterpretq_s16_u16(vmovn_high_u32(vmovn_u32(vreinterpretq_u32_f32(low)), vreinterpretq_u32_f32(high)));
  }
  inline float32x4_t added(int32x4_t q, uint32x4_t residual) const {
    const float32x4_t a = vsubq_f32(vreinterpretq_f32_s32(q), magic),
                      b = vsubq_f32(vreinterpretq_f32_u32(residual), float_base);
    return vaddq_f32(vaddq_f32(vmulq_f32(ra, a), vmulq_f32(rb, b)), sum.magic);
  }
  inline int16x8_t halves(int32x4_t acc0, int32x4_t acc1, float32x4_t m0, float32x4_t m1, uint16x8_t r) const {
    const int16x8_t rounded = words(vaddq_f32(vmulq_f32(vcvtq_f32_s32(acc0), m0), magic),
                                    vaddq_f32(vmulq_f32(vcvtq_f32_s32(acc1), m1), magic));
    const int16x8_t q = vminq_s16(vmaxq_s16(rounded, lo), hi);
    const float32x4_t low = added(vaddw_s16(magic_bits, vget_low_s16(q)), vaddw_u16(base, vget_low_u16(r)));
    const float32x4_t high = added(vaddw_high_s16(magic_bits, q), vaddw_high_u16(base, r));
    return vaddq_s16(words(low, high), sum.odd);
  }
  inline uint8x16_t operator()(const int32x4_t (&acc)[4], const float32x4_t (&m)[4], uint8x16_t residual) const {
    const uint8x16_t bytes = veorq_u8(residual, flip);
    const int16x8_t low = halves(acc[0], acc[1], m[0], m[1], vmovl_u8(vget_low_u8(bytes)));
    const int16x8_t high = halves(acc[2], acc[3], m[2], m[3], vmovl_high_u8(bytes));
    const int8x16_t q = vminq_s8(vqmovn_high_s16(vqmovn_s16(low), high), sum.hi);
    return vaddq_u8(vreinterpretq_u8_s8(q), sum.offset);
  }
};

// The same by conversions, which saturate, and a clamp of 16-bit integers: for Cortex-A57 and A72, where every float
// operation on four values takes both pipes and a conversion is no dearer than an addition.
struct NeonRoundByConverting {
  int16x8_t lo, hi;
  uint8x16_t zero_point;

  explicit NeonRoundByConverting(const Requantize& r)
      : lo(vdupq_n_s16(static_cast<int16_t>(r.lo))),
        hi(vdupq_n_s16(static_cast<int16_t>(r.hi))),
        zero_point(vdupq_n_u8(static_cast<uint8_t>(r.zero_point))) {}

  inline int16x8_t halves(int32x4_t acc0, int32x4_t acc1, float32x4_t m0, float32x4_t m1) const {
    const int32x4_t q0 = vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(acc0), m0));
    const int32x4_t q1 = vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(acc1), m1));
    return vminq_s16(vmaxq_s16(vqmovn_high_s32(vqmovn_s32(q0), q1), lo), hi);
  }
  inline uint8x16_t operator()(const int32x4_t (&acc)[4], const float32x4_t (&m)[4]) const {
    const int16x8_t low = halves(acc[0], acc[1], m[0], m[1]), high = halves(acc[2], acc[3], m[2], m[3]);
    return vaddq_u8(vreinterpretq_u8_s8(vmovn_high_s16(vmovn_s16(low), high)), zero_point);
  }
};
#endif

// Sixteen accumulators and sixteen bytes of a residual to their sum.
struct NeonAddResidual {
  float32x4_t lo, hi, magic, ra, rb, odd, sum_lo, sum_hi, float_base;
  uint32x4_t base;
  uint8x16_t flip, even;

  // A byte in the low bits of 2^23 is a float; one with a sign is 128 more there.
  NeonAddResidual(const Requantize& r, const ResidualAdd& add)
      : lo(vdupq_n_f32(r.lo)),
        hi(vdupq_n_f32(r.hi)),
        magic(vdupq_n_f32(kRoundMagic)),
        ra(vdupq_n_f32(add.ra)),
        rb(vdupq_n_f32(add.rb)),
        odd(vdupq_n_f32(add.odd)),
        sum_lo(vdupq_n_f32(add.lo)),
        sum_hi(vdupq_n_f32(add.hi)),
        float_base(vdupq_n_f32(8388608.0f + static_cast<float>(add.zb + (add.is_signed ? 128 : 0)))),
        base(vdupq_n_u32(0x4B000000)),
        flip(vdupq_n_u8(add.is_signed ? 0x80 : 0)),
        even(vdupq_n_u8(static_cast<uint8_t>(add.even))) {}

  inline uint32x4_t rounded(int32x4_t acc, float32x4_t multiplier, uint16x4_t residual) const {
    const float32x4_t clamped = vminq_f32(vmaxq_f32(vmulq_f32(vcvtq_f32_s32(acc), multiplier), lo), hi);
    const float32x4_t a = vsubq_f32(vaddq_f32(clamped, magic), magic);
    const float32x4_t b = vsubq_f32(vreinterpretq_f32_u32(vaddw_u16(base, residual)), float_base);
    const float32x4_t sum = vaddq_f32(vaddq_f32(vmulq_f32(ra, a), vmulq_f32(rb, b)), odd);
    return vreinterpretq_u32_f32(vaddq_f32(vminq_f32(at_least(sum), sum_hi), magic));
  }
  // NaN, of scales near the ends of float, becomes the lower bound.
  inline float32x4_t at_least(float32x4_t v) const {
#if defined(__aarch64__)
    return vmaxnmq_f32(v, sum_lo);
#else
    return vbslq_f32(vcgtq_f32(v, sum_lo), v, sum_lo);
#endif
  }
  inline uint8x16_t operator()(const int32x4_t (&acc)[4], const float32x4_t (&m)[4], uint8x16_t residual) const {
    const uint8x16_t bytes = veorq_u8(residual, flip);
    const uint16x8_t r0 = vmovl_u8(vget_low_u8(bytes)), r1 = vmovl_u8(vget_high_u8(bytes));
    const uint16x8_t low =
        low_halves(rounded(acc[0], m[0], vget_low_u16(r0)), rounded(acc[1], m[1], vget_high_u16(r0)));
    const uint16x8_t high =
        low_halves(rounded(acc[2], m[2], vget_low_u16(r1)), rounded(acc[3], m[3], vget_high_u16(r1)));
    return vaddq_u8(low_bytes(low, high), even);
  }
};

// n <= 8 bytes.
inline void store_bytes(uint8_t* out, uint8x8_t bytes, size_t n) {
  if (n >= 8) {
    vst1_u8(out, bytes);
    return;
  }
  uint8_t edge[8];
  vst1_u8(edge, bytes);
  std::memcpy(out, edge, n);
}

// The low bytes of eight values, written to n <= 8 bytes.
inline void store_low_bytes(uint8_t* out, int32x4_t a, int32x4_t b, size_t n) {
  store_bytes(out, vmovn_u16(vreinterpretq_u16_s16(vcombine_s16(vmovn_s32(a), vmovn_s32(b)))), n);
}

inline uint8x8_t load_bytes(const uint8_t* from, size_t n) {
  if (n >= 8) return vld1_u8(from);
  uint8_t edge[8] = {};
  std::memcpy(edge, from, n);
  return vld1_u8(edge);
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
