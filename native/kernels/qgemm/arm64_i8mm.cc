// SMMLA (i8mm): 2 rows by 2 columns by 8 k in one instruction. Two rows are zipped into one register, once for all
// panels: a zip takes the place of a product. Two columns lie together in the panel.
#include "kernels/qgemm/neon_bounded.h"

namespace octavo {
namespace {

constexpr size_t kRows = 8;

// P pairs of rows to [tap][k / 8][P][2][8]; the steps of the last 16 k may lie beyond k.
template <int P>
__attribute__((always_inline)) inline void zip_rows(const QGemmTile& t) {
  uint8_t* to = t.zipped;
  for (size_t tap = 0; tap < t.taps; ++tap) {
    const uint8_t* row[P * 2];
    unroll<P * 2>([&](auto r) __attribute__((always_inline)) { row[r] = t.rows[tap * kRows + static_cast<size_t>(r)]; });
    for (size_t k = 0; k < t.k; k += 16, to += P * 32)
      unroll<P>([&](auto p) __attribute__((always_inline)) {
        const uint64x2_t a = vreinterpretq_u64_u8(vld1q_u8(row[p * 2] + k)), b = vreinterpretq_u64_u8(vld1q_u8(row[p * 2 + 1] + k));
        vst1q_u8(to + p * 16, vreinterpretq_u8_u64(vzip1q_u64(a, b)));
        vst1q_u8(to + P * 16 + p * 16, vreinterpretq_u8_u64(vzip2q_u64(a, b)));
      });
  }
}

template <int P>
__attribute__((always_inline)) inline void multiply(int32x4_t (&acc)[P][4], const int8_t* a, const int8_t* w) {
  int8x16_t pair[P];
  unroll<P>([&](auto p) __attribute__((always_inline)) { pair[p] = vld1q_s8(a + p * 16); });
  unroll<4>([&](auto c) __attribute__((always_inline)) {
    const int8x16_t columns = vld1q_s8(w + c * 16);
    unroll<P>([&](auto p) __attribute__((always_inline)) { acc[p][c] = vmmlaq_s32(acc[p][c], pair[p], columns); });
  });
}

// The products of a panel with zipped rows; returns what follows it.
template <int P>
__attribute__((always_inline)) inline const int8_t* multiply_panel(const QGemmTile& t, const int8_t* w, int32x4_t (&acc)[P][4]) {
  const int8_t* a = reinterpret_cast<const int8_t*>(t.zipped);
  for (size_t tap = 0; tap < t.taps; ++tap) {
    size_t k = 0;
    for (; k + 8 < t.k; k += 16, a += P * 32, w += 128) {
      multiply<P>(acc, a, w);
      multiply<P>(acc, a + P * 16, w + 64);
    }
    if (k < t.k) {
      multiply<P>(acc, a, w);
      a += P * 32, w += 64;
    }
  }
  return w;
}

// Sums of rows 2p and 2p + 1, columns 2c and 2c + 1: r0c0 r0c1 r1c0 r1c1. They start with the biases and `more`.
template <int P>
__attribute__((always_inline)) inline void start_sums(const QGemmTile& t, size_t column, int32x4_t more, int32x4_t (&acc)[P][4]) {
  unroll<4>([&](auto c) __attribute__((always_inline)) {
    const int32x4_t bias = vreinterpretq_s32_s64(vld1q_dup_s64(reinterpret_cast<const int64_t*>(t.bias + column + c * 2)));
    const int32x4_t start = vaddq_s32(bias, more);
    unroll<P>([&](auto p) __attribute__((always_inline)) { acc[p][c] = start; });
  });
  // Of rows 2p and 2p + 1, each twice.
  if (t.row_bias)
    unroll<P * 4>([&](auto i) __attribute__((always_inline)) { acc[i / 4][i % 4] = vaddq_s32(acc[i / 4][i % 4], vld1q_s32(t.row_bias + i / 4 * 8 + 2)); });
}

// R rows, zipped into pairs, by 4 pairs of columns.
struct Tiles {
  template <int R, NeonEpilogue E>
  static void run(const QGemmTile& caller) {
    constexpr int P = (R + 1) / 2;
    const QGemmTile t = caller;  // bytes written through `c` cannot change it
    const NeonPanels<E> panels(t);
    zip_rows<P>(t);
    const int8_t* w = t.panel;
    for (size_t column = 0; column < t.n; column += 8) {
      int32x4_t acc[P][4];
      start_sums<P>(t, column, panels.start(), acc);
      w = multiply_panel<P>(t, w, acc);
      panels.template store_pairs<R>(t, column, acc);
    }
  }

  template <int R>
  static void any(const QGemmTile& t) {
    constexpr int P = (R + 1) / 2;
    zip_rows<P>(t);
    const int8_t* w = t.panel;
    for (size_t column = 0; column < t.n; column += 8) {
      int32x4_t acc[P][4];
      start_sums<P>(t, column, vdupq_n_s32(0), acc);
      w = multiply_panel<P>(t, w, acc);

      int32x4_t rows[R][2];
      unroll<P>([&](auto p) __attribute__((always_inline)) {
        rows[p * 2][0] = vcombine_s32(vget_low_s32(acc[p][0]), vget_low_s32(acc[p][1]));
        rows[p * 2][1] = vcombine_s32(vget_low_s32(acc[p][2]), vget_low_s32(acc[p][3]));
        if constexpr (p * 2 + 1 < R) {
          rows[p * 2 + 1][0] = vcombine_s32(vget_high_s32(acc[p][0]), vget_high_s32(acc[p][1]));
          rows[p * 2 + 1][1] = vcombine_s32(vget_high_s32(acc[p][2]), vget_high_s32(acc[p][3]));
        }
      });
      store_panel<NeonRoundByAdding>(t, column, rows);
    }
  }
};

}  // namespace

void qgemm_s8s8_8x8c8_arm64_i8mm(const QGemmTile& t) { run_bounded<Tiles>(t, t.taps * ((t.k + 7) / 8 * 64)); }

}  // namespace octavo
