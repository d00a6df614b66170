// NEON without dot products, ARMv8 and ARMv7. Two k of a row are broadcast and meet two k of four columns: SMULL gives
// eight products, SADALP adds the pairs of them into four sums of 32 bits. With weights in [-127, 127] a second product
// fits the same 16 bits (SMLAL), which halves the SADALPs: 2 * 128 * 127 = 32512.
#pragma once

#include "kernels/qgemm/neon_store.h"

namespace octavo {
namespace {

#if defined(__aarch64__)
using PairOfK = int8x16_t;  // both halves the same: SMULL2 takes the upper ones
template <int kLane>
__attribute__((always_inline)) inline PairOfK broadcast_pair(int8x8_t a) {
  return vreinterpretq_s8_s16(vdupq_lane_s16(vreinterpret_s16_s8(a), kLane));
}
template <int kHalf>
__attribute__((always_inline)) inline int16x8_t multiply(int8x16_t w, PairOfK a) {
  return kHalf ? vmull_high_s8(w, a) : vmull_s8(vget_low_s8(w), vget_low_s8(a));
}
template <int kHalf>
__attribute__((always_inline)) inline int16x8_t multiply_add(int16x8_t sum, int8x16_t w, PairOfK a) {
  return kHalf ? vmlal_high_s8(sum, w, a) : vmlal_s8(sum, vget_low_s8(w), vget_low_s8(a));
}
#else
using PairOfK = int8x8_t;
template <int kLane>
__attribute__((always_inline)) inline PairOfK broadcast_pair(int8x8_t a) {
  return vreinterpret_s8_s16(vdup_lane_s16(vreinterpret_s16_s8(a), kLane));
}
template <int kHalf>
__attribute__((always_inline)) inline int16x8_t multiply(int8x16_t w, PairOfK a) {
  return vmull_s8(kHalf ? vget_high_s8(w) : vget_low_s8(w), a);
}
template <int kHalf>
__attribute__((always_inline)) inline int16x8_t multiply_add(int16x8_t sum, int8x16_t w, PairOfK a) {
  return vmlal_s8(sum, kHalf ? vget_high_s8(w) : vget_low_s8(w), a);
}
#endif

// The first pair or two of each row, with V vectors of four columns.
template <bool kTwo, bool kNarrow, int R, int V>
__attribute__((always_inline)) inline void add_pairs(int32x4_t (&acc)[R][V], const int8x8_t (&a)[R], const int8_t* w,
                                                     size_t stride) {
  int8x16_t w0[V / 2], w1[V / 2];
  unroll<V / 2>([&](auto i) __attribute__((always_inline)) {
    w0[i] = vld1q_s8(w + i * 16);
    if (kTwo) w1[i] = vld1q_s8(w + stride + i * 16);
  });
  unroll<R>([&](auto r) __attribute__((always_inline)) {
    const PairOfK a0 = broadcast_pair<0>(a[r]), a1 = broadcast_pair<1>(a[r]);
    unroll<V>([&](auto v) __attribute__((always_inline)) {
      constexpr int half = v % 2;
      int16x8_t sum = multiply<half>(w0[v / 2], a0);
      if (kTwo && kNarrow) sum = multiply_add<half>(sum, w1[v / 2], a1);
      acc[r][v] = vpadalq_s16(acc[r][v], sum);
      if (kTwo && !kNarrow) acc[r][v] = vpadalq_s16(acc[r][v], multiply<half>(w1[v / 2], a1));
    });
  });
}

// R rows by V vectors of columns, the first of a panel of `stride` / 2 columns.
template <class Round, size_t kRows, int R, int V, bool kNarrow>
__attribute__((always_inline)) inline void mlal_panel(const QGemmTile& t, size_t column, const int8_t* w,
                                                      size_t stride) {
  int32x4_t acc[R][V];
  unroll<R * V>([&](auto i) __attribute__((always_inline)) {
    acc[i / V][i % V] = vld1q_s32(t.epilogue.bias + column + i % V * 4);
  });
  add_row_bias(t, acc);

  for (size_t tap = 0; tap < t.operands.taps; ++tap) {
    const int8_t* row[R];
    unroll<R>([&](auto r) __attribute__((always_inline)) {
      row[r] = reinterpret_cast<const int8_t*>(t.operands.rows[tap * kRows + static_cast<size_t>(r)]);
    });
    int8x8_t a[R];
    size_t k = 0;
    // Four k at a time, though eight are loaded: with the weights of more of them under way the sums are spilled.
    for (; k + 2 < t.operands.k; k += 4, w += 2 * stride) {
      unroll<R>([&](auto r) __attribute__((always_inline)) { a[r] = vld1_s8(row[r] + k); });
      add_pairs<true, kNarrow>(acc, a, w, stride);
    }
    if (k < t.operands.k) {
      unroll<R>([&](auto r) __attribute__((always_inline)) { a[r] = vld1_s8(row[r] + k); });
      add_pairs<false, kNarrow>(acc, a, w, stride);
      w += stride;
    }
  }
  store_panel<Round>(t, column, acc);
}

}  // namespace
}  // namespace octavo
