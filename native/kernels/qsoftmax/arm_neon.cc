// Sixteen bytes of a row at once. A lookup of one register takes a third of the time of one of four, so the tables are
// kept as their four planes of bytes, and transpositions of neighbours make floats of sixteen bytes of each plane:
// vector v has elements v, v + 4, v + 8 and v + 12. Zips, for which they would lie in order, take three times as long
// on Cortex-A72.
#include "kernels/qsoftmax/qsoftmax.h"

#include <arm_neon.h>

#include <cstring>

#include "kernels/requantize/requantize.h"

namespace octavo {
namespace {

constexpr int64_t kStep = 16;

// The bytes of lane i < n are all ones, the others zero.
inline uint8x16_t first_bytes(int64_t n) {
  static constexpr uint8_t kIndex[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return vcltq_u8(vld1q_u8(kIndex), vdupq_n_u8(static_cast<uint8_t>(n)));
}

struct Sixteen {
  uint8x16x4_t planes;
  explicit Sixteen(const float* p) : planes(vld4q_u8(reinterpret_cast<const uint8_t*>(p))) {}

  inline void look_up(uint8x16_t index, float32x4_t (&v)[4]) const {
    const uint8x16_t b0 = vqtbl1q_u8(planes.val[0], index), b1 = vqtbl1q_u8(planes.val[1], index);
    const uint8x16_t b2 = vqtbl1q_u8(planes.val[2], index), b3 = vqtbl1q_u8(planes.val[3], index);
    const uint16x8_t low_even = vreinterpretq_u16_u8(vtrn1q_u8(b0, b1)),
                     high_even = vreinterpretq_u16_u8(vtrn1q_u8(b2, b3));
    const uint16x8_t low_odd = vreinterpretq_u16_u8(vtrn2q_u8(b0, b1)),
                     high_odd = vreinterpretq_u16_u8(vtrn2q_u8(b2, b3));
    v[0] = vreinterpretq_f32_u16(vtrn1q_u16(low_even, high_even));
    v[1] = vreinterpretq_f32_u16(vtrn1q_u16(low_odd, high_odd));
    v[2] = vreinterpretq_f32_u16(vtrn2q_u16(low_even, high_even));
    v[3] = vreinterpretq_f32_u16(vtrn2q_u16(low_odd, high_odd));
  }
};

// Flipping the sign of bytes makes all of them unsigned; distances are the same without.
inline uint8_t largest(const uint8_t* x, int64_t n, uint8x16_t flip) {
  uint8x16_t best = vdupq_n_u8(0);
  int64_t i = 0;
  for (; i + kStep <= n; i += kStep) best = vmaxq_u8(best, veorq_u8(vld1q_u8(x + i), flip));
  if (i < n) best = vmaxq_u8(best, vandq_u8(veorq_u8(vld1q_u8(x + i), flip), first_bytes(n - i)));
  return static_cast<uint8_t>(vmaxvq_u8(best) ^ vgetq_lane_u8(flip, 0));
}

// The sixteen accumulators are four vectors. What a last step has too many is +0, which changes no sum of such values.
inline float sum_of_values(const Sixteen& coarse, const Sixteen& fine, const uint8_t* x, int64_t n, uint8_t top,
                           float* values) {
  const uint8x16_t most = vdupq_n_u8(top), low_bits = vdupq_n_u8(15);
  float32x4_t sums[4] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)};
  const auto step = [&](int64_t i, uint8x16_t outside) {
    const uint8x16_t distance = vsubq_u8(most, vld1q_u8(x + i));
    float32x4_t a[4], b[4];
    // An index past the table finds 0.
    coarse.look_up(vorrq_u8(vshrq_n_u8(distance, 4), outside), a);
    fine.look_up(vandq_u8(distance, low_bits), b);
    for (int v = 0; v < 4; ++v) {
      const float32x4_t e = vmulq_f32(a[v], b[v]);
      vst1q_f32(values + i + v * 4, e);
      sums[v] = vaddq_f32(sums[v], e);
    }
  };
  int64_t i = 0;
  for (; i + kStep <= n; i += kStep) step(i, vdupq_n_u8(0));
  if (i < n) step(i, vmvnq_u8(first_bytes(n - i)));
  float32x2_t joined[4];
  for (int v = 0; v < 4; ++v) joined[v] = vadd_f32(vget_low_f32(sums[v]), vget_high_f32(sums[v]));
  const float32x2_t two = vadd_f32(vpadd_f32(joined[0], joined[1]), vpadd_f32(joined[2], joined[3]));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

// kSmall: products stay below 2^15, so that they may be clamped as 16-bit integers.
template <bool kSmall>
inline void quantize(const QSoftmaxParameters& p, const float* values, uint8_t* y, int64_t n, float m) {
  const int32_t low = p.qmin - p.zp, high = p.qmax - p.zp;
  const float32x4_t factor = vdupq_n_f32(m), magic = vdupq_n_f32(kRoundMagic);
  const float32x4_t lo = vdupq_n_f32(static_cast<float>(low)), hi = vdupq_n_f32(static_cast<float>(high));
  const int16x8_t lo16 = vdupq_n_s16(static_cast<int16_t>(low)), hi16 = vdupq_n_s16(static_cast<int16_t>(high));
  const uint8x16_t zp = vdupq_n_u8(static_cast<uint8_t>(p.zp));
  const auto rounded = [&](int64_t i) {
    float32x4_t v = vmulq_f32(vld1q_f32(values + i), factor);
    // NaN, of an infinite factor, becomes the lower bound.
    if (!kSmall) v = vminq_f32(vmaxnmq_f32(v, lo), hi);
    return vreinterpretq_s16_f32(vaddq_f32(v, magic));
  };
  const auto halves = [&](int64_t i) {
    const int16x8_t q = vtrn1q_s16(rounded(i), rounded(i + 8));
    return vreinterpretq_u8_s16(kSmall ? vminq_s16(vmaxq_s16(q, lo16), hi16) : q);
  };
  const auto bytes = [&](int64_t i) { return vaddq_u8(vtrn1q_u8(halves(i), halves(i + 4)), zp); };
  int64_t i = 0;
  for (; i + kStep <= n; i += kStep) vst1q_u8(y + i, bytes(i));
  if (i == n) return;
  uint8_t edge[kStep];
  vst1q_u8(edge, bytes(i));
  std::memcpy(y + i, edge, static_cast<size_t>(n - i));
}

void rows(const QSoftmaxParameters& p, const uint8_t* x, uint8_t* y, int64_t n, int64_t rows, float* values) {
  const Sixteen coarse(p.coarse), fine(p.fine);
  const uint8x16_t flip = vdupq_n_u8(p.is_signed ? 0x80 : 0);
  // The sum is at least the 1 of the largest value, so no product is above 1 / y_scale.
  const bool small = p.y_scale > 1.0f / 16384;
  for (int64_t row = 0; row < rows; ++row, x += n, y += n) {
    const float m = 1.0f / (sum_of_values(coarse, fine, x, n, largest(x, n, flip), values) * p.y_scale);
    if (small) quantize<true>(p, values, y, n, m);
    else quantize<false>(p, values, y, n, m);
  }
}

}  // namespace

extern const QSoftmaxKernel qsoftmax_arm_neon;
const QSoftmaxKernel qsoftmax_arm_neon = {Isa::arm_neon, rows};

}  // namespace octavo
