// Accumulators of R rows by V vectors of four columns to memory, for the NEON kernels. Four vectors become one of
// bytes: two rows of 8 columns, or one of 16.
#pragma once

#include "kernels/qgemm/qgemm.h"
#include "kernels/requantize/neon.h"
#include "simd/unroll.h"

namespace octavo {
namespace {

// The bytes of row r, 8 in a half of `bytes` or 16; n of them or fewer are in the matrix.
template <int V>
__attribute__((always_inline)) inline void store_row(uint8_t* c, uint8x16_t bytes, bool upper, size_t n) {
  if (V == 2) return store_bytes(c, upper ? vget_high_u8(bytes) : vget_low_u8(bytes), n);
  if (n >= 16) return vst1q_u8(c, bytes);
  if (n >= 8) vst1_u8(c, vget_low_u8(bytes));
  if (n >= 8) store_bytes(c + 8, vget_high_u8(bytes), n - 8);
  else store_bytes(c, vget_low_u8(bytes), n);
}

template <int V>
__attribute__((always_inline)) inline uint8x16_t load_rows(const uint8_t* row, const uint8_t* next, size_t n) {
  if (V == 2) return vcombine_u8(load_bytes(row, n), load_bytes(next, n));
  if (n >= 16) return vld1q_u8(row);
  if (n >= 8) return vcombine_u8(vld1_u8(row), load_bytes(row + 8, n - 8));
  return vcombine_u8(load_bytes(row, n), vdup_n_u8(0));
}

// bytes(acc, multipliers, residual). The last of an odd number of short rows is computed twice.
template <int R, int V, bool kResidual, class Bytes>
__attribute__((always_inline)) inline void store_quads(const QGemmTile& t, size_t column, const int32x4_t (&acc)[R][V],
                                                       const Bytes& bytes) {
  static_assert(V == 2 || V == 4, "rows of 8 or 16 columns");
  constexpr int kTogether = 4 / V;
  float32x4_t m[V];
  unroll<V>([&](auto v) __attribute__((always_inline)) { m[v] = vld1q_f32(t.epilogue.multiplier + column + v * 4); });
  const size_t n = t.n - column;
  unroll<(R + kTogether - 1) / kTogether>([&](auto quad) __attribute__((always_inline)) {
    constexpr int r = quad * kTogether, next = r + kTogether - 1 < R ? r + kTogether - 1 : r;
    const size_t at = static_cast<size_t>(r) * t.epilogue.c_stride + column,
                 at_next = static_cast<size_t>(next) * t.epilogue.c_stride + column;
    uint8_t* c = static_cast<uint8_t*>(t.epilogue.c);
    uint8x16_t residual = vdupq_n_u8(0);
    if (kResidual) residual = load_rows<V>(t.epilogue.residual + at, t.epilogue.residual + at_next, n);
    const uint8x16_t q =
        bytes({acc[r][0], acc[r][1], acc[next][V - 2], acc[next][V - 1]}, {m[0], m[1], m[V - 2], m[V - 1]}, residual);
    store_row<V>(c + at, q, false, n);
    if (next > r) store_row<V>(c + at_next, q, true, n);
  });
}

template <int R, int V>
__attribute__((always_inline)) inline void add_row_bias(const QGemmTile& t, int32x4_t (&acc)[R][V]) {
  if (!t.epilogue.row_bias) return;
  unroll<R * V>([&](auto i) __attribute__((always_inline)) {
    acc[i / V][i % V] = vaddq_s32(acc[i / V][i % V], vld1q_s32(t.epilogue.row_bias + i / V * 4));
  });
}

// The columns from `column` on of the R rows of a tile, R = t.m.
template <class Round, int R, int V>
__attribute__((always_inline)) inline void store_panel(const QGemmTile& t, size_t column,
                                                       const int32x4_t (&acc)[R][V]) {
  if (t.epilogue.store == QGemmStore::kInt32) {
    const size_t n = t.n - column;
    unroll<R>([&](auto r) __attribute__((always_inline)) {
      int32_t* words = reinterpret_cast<int32_t*>(static_cast<uint8_t*>(t.epilogue.c) +
                                                  static_cast<size_t>(r) * t.epilogue.c_stride) +
                       column;
      unroll<V>([&](auto v) __attribute__((always_inline)) {
        if (n > v * 4) store_words(words + v * 4, acc[r][v], n - v * 4);
      });
    });
#if defined(__aarch64__)
  } else if (V == 4 && t.epilogue.residual && t.epilogue.requantize.fits_int16 && t.epilogue.add.fits_int16 &&
             t.epilogue.add.odd == 0) {
    store_quads<R, V, true>(t, column, acc, NeonAddByWords(t.epilogue.requantize, t.epilogue.add));
#endif
  } else if (t.epilogue.residual) {
    store_quads<R, V, true>(t, column, acc, NeonAddResidual(t.epilogue.requantize, t.epilogue.add));
  } else {
    const Round round(t.epilogue.requantize);
    store_quads<R, V, false>(t, column, acc,
                             [&](const int32x4_t(&a)[4], const float32x4_t(&m)[4], uint8x16_t)
                                 __attribute__((always_inline)) { return round(a, m); });
  }
}

}  // namespace
}  // namespace octavo
