// Groups of two k, of the kernels without dot products: rows are zipped, columns transposed as words of two bytes.
#pragma once

#include "kernels/qpack/neon.h"

namespace octavo {
namespace {

// Eight columns of two rows at a time.
inline void rows2(const QPackBlock& b) {
  const uint8x8_t flip = vdup_n_u8(b.flip);
  for (size_t column = 0; column < b.columns; column += 8) {
    int8_t* out = b.out + column * 2;
    for (size_t begin = 0; begin < b.depth; begin += kSumsPending) {
      const size_t end = b.depth - begin < kSumsPending ? b.depth : begin + kSumsPending;
      int16x8_t sum = vdupq_n_s16(0);
      for (size_t k = begin; k < end; k += 2, out += b.group_bytes) {
        const uint8_t* from = b.data + k * b.k_stride + column;
        const int8x8_t r0 = load8(from, flip), r1 = load8(from + b.k_stride, flip);
        sum = vaddq_s16(sum, vaddl_s8(r0, r1));
        const int8x8x2_t z = vzip_s8(r0, r1);
        vst1q_s8(out, vcombine_s8(z.val[0], z.val[1]));
      }
      grow(b.sums + column, vget_low_s16(sum));
      grow(b.sums + column + 4, vget_high_s16(sum));
    }
  }
}

// Eight by eight words; transpositions of neighbours, as a zip takes three times as long on Cortex-A72.
inline void transpose_words(int16x8_t (&r)[8]) {
  int32x4_t t[8];
  for (int i = 0; i < 8; i += 2) {
    const int16x8x2_t z = vtrnq_s16(r[i], r[i + 1]);
    t[i] = vreinterpretq_s32_s16(z.val[0]);
    t[i + 1] = vreinterpretq_s32_s16(z.val[1]);
  }
  for (int i = 0; i < 2; ++i) {
    const int32x4x2_t low = vtrnq_s32(t[i], t[i + 2]), high = vtrnq_s32(t[i + 4], t[i + 6]);
    for (int j = 0; j < 2; ++j) {
      r[i + 2 * j] = vreinterpretq_s16_s32(vcombine_s32(vget_low_s32(low.val[j]), vget_low_s32(high.val[j])));
      r[i + 2 * j + 4] = vreinterpretq_s16_s32(vcombine_s32(vget_high_s32(low.val[j]), vget_high_s32(high.val[j])));
    }
  }
}

// Sixteen k of eight columns at a time.
inline void columns2(const QPackBlock& b) {
  const uint8x16_t flip = vdupq_n_u8(b.flip);
  for (size_t column = 0; column < b.columns; column += 8) {
    const uint8_t* from = b.data + column * b.n_stride;
    int8_t* out = b.out + column * 2;
    int32x4_t sums[8];
    for (int32x4_t& sum : sums) sum = vdupq_n_s32(0);
    size_t k = 0;
    for (; k + 16 <= b.depth; k += 16) {
      int16x8_t words[8];
      for (size_t c = 0; c < 8; ++c) {
        const int8x16_t v = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(from + c * b.n_stride + k), flip));
        sums[c] = vpadalq_s16(sums[c], vpaddlq_s8(v));
        words[c] = vreinterpretq_s16_s8(v);
      }
      transpose_words(words);
      for (size_t i = 0; i < 8; ++i, out += b.group_bytes) vst1q_s8(out, vreinterpretq_s8_s16(words[i]));
    }
    for (size_t c = 0; c < 8; ++c) {
      int32_t sum = sum_of(sums[c]);
      int8_t* to = out + c * 2;
      for (size_t i = k; i < b.depth; i += 2, to += b.group_bytes)
        for (size_t j = 0; j < 2; ++j) {
          to[j] = static_cast<int8_t>(from[c * b.n_stride + i + j] ^ b.flip);
          sum += to[j];
        }
      b.sums[column + c] = static_cast<int32_t>(static_cast<uint32_t>(b.sums[column + c]) + static_cast<uint32_t>(sum));
    }
  }
}

}  // namespace
}  // namespace octavo
