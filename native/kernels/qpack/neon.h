// Groups of eight (and of four) k: bytes of rows interleaved by zips or vst4, columns copied a group at a time.
#pragma once

#include <arm_neon.h>

#include <cstring>

#include "kernels/qpack/qpack.h"

namespace octavo {
namespace {

inline int8x8_t load8(const uint8_t* p, uint8x8_t flip) { return vreinterpret_s8_u8(veor_u8(vld1_u8(p), flip)); }

inline void grow(int32_t* sums, int16x4_t by) { vst1q_s32(sums, vaddw_s16(vld1q_s32(sums), by)); }

// Eight columns of eight rows: three rounds of zips transpose them.
inline void transpose8(int8x8_t (&r)[8]) {
  for (int round = 0; round < 3; ++round) {
    int8x8_t t[8];
    for (int i = 0; i < 4; ++i) {
      const int8x8x2_t z = vzip_s8(r[i], r[i + 4]);
      t[2 * i] = z.val[0];
      t[2 * i + 1] = z.val[1];
    }
    for (int i = 0; i < 8; ++i) r[i] = t[i];
  }
}

// Sums of bytes stay within 16 bits for this many.
constexpr size_t kSumsPending = 240;

// Eight columns of four rows at a time.
inline void rows4(const QPackBlock& b) {
  const uint8x8_t flip = vdup_n_u8(b.flip);
  for (size_t column = 0; column < b.columns; column += 8) {
    int8_t* out = b.out + column * 4;
    for (size_t begin = 0; begin < b.depth; begin += kSumsPending) {
      const size_t end = b.depth - begin < kSumsPending ? b.depth : begin + kSumsPending;
      int16x8_t sum = vdupq_n_s16(0);
      for (size_t k = begin; k < end; k += 4, out += b.group_bytes) {
        const uint8_t* from = b.data + k * b.k_stride + column;
        const int8x8x4_t r = {{load8(from, flip), load8(from + b.k_stride, flip), load8(from + 2 * b.k_stride, flip),
                               load8(from + 3 * b.k_stride, flip)}};
        sum = vaddq_s16(sum, vaddq_s16(vaddl_s8(r.val[0], r.val[1]), vaddl_s8(r.val[2], r.val[3])));
        vst4_s8(out, r);
      }
      grow(b.sums + column, vget_low_s16(sum));
      grow(b.sums + column + 4, vget_high_s16(sum));
    }
  }
}

// Four columns of eight rows at a time: panels may have no more. The upper half of the loads is not stored.
inline void rows8(const QPackBlock& b) {
  const uint8x8_t flip = vdup_n_u8(b.flip);
  for (size_t column = 0; column < b.columns; column += 4) {
    int8_t* out = b.out + column * 8;
    for (size_t begin = 0; begin < b.depth; begin += kSumsPending) {
      const size_t end = b.depth - begin < kSumsPending ? b.depth : begin + kSumsPending;
      int16x8_t sum = vdupq_n_s16(0);
      for (size_t k = begin; k < end; k += 8, out += b.group_bytes) {
        int8x8_t r[8];
        for (size_t i = 0; i < 8; ++i) {
          r[i] = load8(b.data + (k + i) * b.k_stride + column, flip);
          sum = vaddw_s8(sum, r[i]);
        }
        transpose8(r);
        for (size_t i = 0; i < 4; ++i) vst1_s8(out + 8 * i, r[i]);
      }
      grow(b.sums + column, vget_low_s16(sum));
    }
  }
}

inline int32_t sum_of(int32x4_t v) {
  const int32x2_t two = vadd_s32(vget_low_s32(v), vget_high_s32(v));
  return vget_lane_s32(vpadd_s32(two, two), 0);
}

// kGroup is 4 or 8.
template <size_t kGroup>
inline void columns_of(const QPackBlock& b) {
  const uint8x8_t flip = vdup_n_u8(b.flip);
  for (size_t column = 0; column < b.columns; ++column) {
    const uint8_t* from = b.data + column * b.n_stride;
    int8_t* out = b.out + column * kGroup;
    int32x4_t sum = vdupq_n_s32(0);
    size_t k = 0;
    for (; k + 8 <= b.depth; k += 8, out += 8 / kGroup * b.group_bytes) {
      const int8x8_t v = load8(from + k, flip);
      sum = vpadalq_s16(sum, vmovl_s8(v));
      if (kGroup == 8) {
        vst1_s8(out, v);
        continue;
      }
      const uint32x2_t words = vreinterpret_u32_s8(v);
      const uint32_t low = vget_lane_u32(words, 0), high = vget_lane_u32(words, 1);
      std::memcpy(out, &low, sizeof low);
      std::memcpy(out + b.group_bytes, &high, sizeof high);
    }
    // A last group of four.
    if (k < b.depth) {
      uint32_t word;
      std::memcpy(&word, from + k, sizeof word);
      word ^= 0x01010101u * b.flip;
      std::memcpy(out, &word, sizeof word);
      sum = vpadalq_s16(sum, vmovl_s8(vreinterpret_s8_u32(vset_lane_u32(word, vdup_n_u32(0), 0))));
    }
    b.sums[column] = static_cast<int32_t>(static_cast<uint32_t>(b.sums[column]) + static_cast<uint32_t>(sum_of(sum)));
  }
}

}  // namespace
}  // namespace octavo
