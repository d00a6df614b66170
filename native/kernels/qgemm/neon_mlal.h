// NEON without dot products, ARMv8 and ARMv7: eight products of a row and a column at a time, SMULL, pairs of them
// added into 32 bits by SADALP. With weights in [-127, 127] a second product fits the same 16 bits (SMLAL), which
// halves the SADALPs: 2 * 128 * 127 = 32512. Each column's sum is spread over four lanes until the end.
#pragma once

#include "kernels/qgemm/qgemm.h"
#include "kernels/requantize/neon.h"

namespace octavo {
namespace {

inline int32x2_t pair_sums(int32x4_t v) { return vpadd_s32(vget_low_s32(v), vget_high_s32(v)); }

inline int32x4_t sum_lanes(const int32x4_t* v) {
  return vcombine_s32(vpadd_s32(pair_sums(v[0]), pair_sums(v[1])), vpadd_s32(pair_sums(v[2]), pair_sums(v[3])));
}

inline int8x8_t load8(const void* p) { return vld1_s8(static_cast<const int8_t*>(p)); }

// R rows by 4 columns; rows of the indirection are kRows apart.
template <int R, int kRows, bool kNarrow>
inline void mlal_tile(const QGemmTile& t) {
  int32x4_t acc[R][4];
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < 4; ++c) acc[r][c] = vdupq_n_s32(0);

  const int8_t* w = t.panel;
  for (size_t tap = 0; tap < t.taps; ++tap) {
    const uint8_t* a[R];
    for (int r = 0; r < R; ++r) a[r] = t.rows[tap * kRows + static_cast<size_t>(r)];
    size_t k = 0;
    if (kNarrow) {
      for (; k + 8 < t.k; k += 16, w += 64) {
        int8x8_t a0[R], a1[R];
        for (int r = 0; r < R; ++r) a0[r] = load8(a[r] + k), a1[r] = load8(a[r] + k + 8);
        for (int c = 0; c < 4; ++c) {
          const int8x8_t w0 = load8(w + c * 8), w1 = load8(w + 32 + c * 8);
          for (int r = 0; r < R; ++r) acc[r][c] = vpadalq_s16(acc[r][c], vmlal_s8(vmull_s8(w0, a0[r]), w1, a1[r]));
        }
      }
    }
    for (; k < t.k; k += 8, w += 32) {
      int8x8_t av[R];
      for (int r = 0; r < R; ++r) av[r] = load8(a[r] + k);
      for (int c = 0; c < 4; ++c) {
        const int8x8_t wv = load8(w + c * 8);
        for (int r = 0; r < R; ++r) acc[r][c] = vpadalq_s16(acc[r][c], vmull_s8(wv, av[r]));
      }
    }
  }

  const int32x4_t bias = vld1q_s32(t.bias);
  const NeonRequantize requantize(t.requantize);
  for (int r = 0; r < R; ++r) {
    if (static_cast<size_t>(r) >= t.m) break;
    const int32x4_t sum = vaddq_s32(sum_lanes(acc[r]), bias);
    uint8_t* c = static_cast<uint8_t*>(t.c) + static_cast<size_t>(r) * t.c_stride;
    if (t.store == QGemmStore::kInt32) {
      store_words(reinterpret_cast<int32_t*>(c), sum, t.n);
    } else {
      const int32x4_t q = requantize(sum, vld1q_f32(t.multiplier));
      store_low_bytes(c, q, q, t.n < 4 ? t.n : 4);
    }
  }
}

}  // namespace
}  // namespace octavo
