// The epilogue of the NEON kernels: kVectors times four channels in order, to bytes or int32.
#pragma once

#include "kernels/qdwconv/rolling.h"
#include "kernels/requantize/neon.h"

namespace octavo {
namespace {

template <int kVectors>
struct NeonAcc {
  int32x4_t v[kVectors];
};

// The bias, plus the sums if there are any.
template <int kVectors>
OCTAVO_INLINE NeonAcc<kVectors> start_words(const int32_t* bias, const int32_t* sums) {
  NeonAcc<kVectors> words;
#pragma GCC unroll 4
  for (int i = 0; i < kVectors; ++i) {
    words.v[i] = vld1q_s32(bias + i * 4);
    if (sums) words.v[i] = vaddq_s32(words.v[i], vld1q_s32(sums + i * 4));
  }
  return words;
}

template <int kVectors>
class NeonStore {
 public:
  OCTAVO_INLINE NeonStore(const QDwTile& t, size_t c)
#if defined(__aarch64__)
      : lowest_(vdupq_n_s16(static_cast<int16_t>(t.requantize.lo))),
        range_(vdup_n_u8(static_cast<uint8_t>(t.requantize.hi - t.requantize.lo))),
        offset_(vdup_n_u8(static_cast<uint8_t>(static_cast<int32_t>(t.requantize.lo) + t.requantize.zero_point)))
#else
      : requantize_(t.requantize)
#endif
  {
    if (t.to_int32) return;
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) multiplier_[i] = vld1q_f32(t.multiplier + c + i * 4);
  }

  OCTAVO_INLINE void operator()(const NeonAcc<kVectors>& acc, const QDwTile& t, uint8_t* out, size_t n) const {
    if (t.to_int32) {
      int32_t words[kVectors * 4];
      for (int i = 0; i < kVectors; ++i) vst1q_s32(words + i * 4, acc.v[i]);
      std::memcpy(out, words, n * sizeof(int32_t));
      return;
    }
    uint8_t edge[kVectors * 4];
    const bool whole = n == kVectors * 4;
    uint8_t* to = whole ? out : edge;
#pragma GCC unroll 2
    for (int i = 0; i < kVectors; i += 2) vst1_u8(to + i * 4, bytes(acc.v[i], acc.v[i + 1], i));
    if (!whole) std::memcpy(out, edge, n);
  }

 private:
#if defined(__aarch64__)
  // Every conversion saturates: the lower bound is that of unsigned bytes, counted from the lowest output.
  OCTAVO_INLINE uint8x8_t bytes(int32x4_t a, int32x4_t b, int i) const {
    const int32x4_t x = vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(a), multiplier_[i]));
    const int32x4_t y = vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(b), multiplier_[i + 1]));
    const int16x8_t words = vqsubq_s16(vqmovn_high_s32(vqmovn_s32(x), y), lowest_);
    return vadd_u8(vmin_u8(vqmovun_s16(words), range_), offset_);
  }

  int16x8_t lowest_;
  uint8x8_t range_, offset_;
#else
  OCTAVO_INLINE uint8x8_t bytes(int32x4_t a, int32x4_t b, int i) const {
    const int32x4_t x = requantize_(a, multiplier_[i]), y = requantize_(b, multiplier_[i + 1]);
    return vmovn_u16(vreinterpretq_u16_s16(vcombine_s16(vmovn_s32(x), vmovn_s32(y))));
  }

  NeonRequantize requantize_;
#endif
  float32x4_t multiplier_[kVectors];
};

}  // namespace
}  // namespace octavo
