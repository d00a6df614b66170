// Products of bytes without a dot product: SMLAL to sums of 16 bits, two columns in each, which SADDLP and ADDP take
// to a sum of 32 bits for a column. Every NEON has it.
#pragma once

#include "kernels/blockgemm/integer_tile.h"
#include "kernels/blockgemm/real_tile.h"

namespace octavo {
namespace {

// Bytes of four columns, 4 of each, as the signed ones that NEON multiplies.
struct NeonWords : WholeLevels {
  using Words = int8x16_t;
  // Levels of 8 bits are 128 less.
  template <int kBits>
  static constexpr int kOffset = kBits == 8 ? 128 : 0;

  // SCVTF has one pipe; sums of 256 products of at most 15 * 127 have 19 bits.
  template <int kBits>
  static constexpr bool kFloatBits = kBits <= 4;

  static Words load(const uint8_t* p) { return vreinterpretq_s8_u8(vld1q_u8(p)); }
  template <int kBits, int kPlane>
  static Words level(Words words) {
    uint8x16_t w = vreinterpretq_u8_s8(words);
    if constexpr (kBits == 8) {
      w = veorq_u8(w, vdupq_n_u8(128));
    } else {
      if constexpr (kPlane != 0) w = vshrq_n_u8(w, kPlane * kBits);
      // A shift to the lowest bits leaves nothing above them.
      if constexpr (kPlane + 1 != 8 / kBits) w = vandq_u8(w, vdupq_n_u8((1 << kBits) - 1));
    }
    return vreinterpretq_s8_u8(w);
  }
  static I32 negated(I32 zero) { return splat(0) - zero; }
  static I32 sum(int32_t sum) { return splat(sum); }
  static I32 start(I32 zero, I32 sum) { return zero * sum; }
};

struct NeonMlal : NeonWords, NumbersInPlace {
  static constexpr int kRows = 2, kPanels = 1;
  struct Sums {
    int16x8_t low, high;
  };
  // Products are at most 128, 15 or 3 times 127, one a lane and plane.
  template <int kBits>
  static constexpr size_t kUnits = kBits == 8   ? 2
                                   : kBits == 4 ? 8
                                                : 16;

  template <size_t k>
  static int8x8_t four(Row row) {
    return vreinterpret_s8_s32(vdup_n_s32(four_at(row + k)));
  }
  static Sums open(I32) { return {vdupq_n_s16(0), vdupq_n_s16(0)}; }
  template <int kBits, int kPlane, size_t k>
  static void dot(Sums& sums, Words levels, int8x8_t numbers) {
    sums.low = vmlal_s8(sums.low, vget_low_s8(levels), numbers);
    sums.high = vmlal_s8(sums.high, vget_high_s8(levels), numbers);
  }
  template <int kBits>
  static I32 close(I32 sum, const Sums& sums) {
    const int32x4_t low = vpaddlq_s16(sums.low), high = vpaddlq_s16(sums.high);
#if defined(__aarch64__)
    const int32x4_t columns = vpaddq_s32(low, high);
#else
    const int32x4_t columns = vcombine_s32(vpadd_s32(vget_low_s32(low), vget_high_s32(low)),
                                           vpadd_s32(vget_low_s32(high), vget_high_s32(high)));
#endif
    return {vaddq_s32(sum.v, columns)};
  }
};

struct RealNeon {
  static constexpr int kRows = 2, kPanels = 1, kPanelsOfRow = 1;
  template <int kBits>
  using Values = PlainValues<kBits>;
};

}  // namespace
}  // namespace octavo
