// SMMLA (i8mm): 2 rows by 2 columns by 8 k in one instruction. Two rows are interleaved in one register, once for all
// panels: interleaving takes the place of a product. Two columns lie together in the panel.
#include "kernels/qgemm/neon_bounded.h"

namespace octavo {
namespace {

constexpr size_t kRows = 8;

// Sixteen k of two rows, eight of both in a register.
struct InterleavedPair {
  uint8x16_t low, high;
};
__attribute__((always_inline)) inline InterleavedPair interleave_pair(const uint8_t* row, const uint8_t* next) {
  const uint64x2_t a = vreinterpretq_u64_u8(vld1q_u8(row)), b = vreinterpretq_u64_u8(vld1q_u8(next));
  return {vreinterpretq_u8_u64(vzip1q_u64(a, b)), vreinterpretq_u8_u64(vzip2q_u64(a, b))};
}

// P pairs of rows to [tap][k / 8][P][2][8]; the last step of a tap may lie beyond k.
template <int P>
__attribute__((always_inline)) inline void interleave_rows(const QGemmTile& t) {
  uint8_t* to = t.operands.interleaved;
  for (size_t tap = 0; tap < t.operands.taps; ++tap) {
    const uint8_t* row[P * 2];
    unroll<P * 2>(
        [&](auto r) __attribute__((always_inline)) { row[r] = t.operands.rows[tap * kRows + static_cast<size_t>(r)]; });
    size_t k = 0;
    for (; k + 8 < t.operands.k; k += 16, to += P * 32)
      unroll<P>([&](auto p) __attribute__((always_inline)) {
        const InterleavedPair pair = interleave_pair(row[p * 2] + k, row[p * 2 + 1] + k);
        vst1q_u8(to + p * 16, pair.low);
        vst1q_u8(to + P * 16 + p * 16, pair.high);
      });
    if (k >= t.operands.k) continue;
    unroll<P>([&](auto p) __attribute__((always_inline)) {
      vst1q_u8(to + p * 16, interleave_pair(row[p * 2] + k, row[p * 2 + 1] + k).low);
    });
    to += P * 16;
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

// The products of a panel with interleaved rows; returns what follows it. All taps are one run of steps.
template <int P>
__attribute__((always_inline)) inline const int8_t* multiply_panel(const QGemmTile& t, const int8_t* w,
                                                                   int32x4_t (&acc)[P][4]) {
  const size_t steps = t.operands.taps * ((t.operands.k + 7) / 8);
  const int8_t* a = reinterpret_cast<const int8_t*>(t.operands.interleaved);
  for (const int8_t* end = w + steps / 2 * 128; w < end; a += P * 32, w += 128) {
    multiply<P>(acc, a, w);
    multiply<P>(acc, a + P * 16, w + 64);
  }
  if (steps % 2 == 0) return w;
  multiply<P>(acc, a, w);
  return w + 64;
}

// Sums of rows 2p and 2p + 1, columns 2c and 2c + 1: r0c0 r0c1 r1c0 r1c1. They start with the biases and `more`, which
// are added by scalars and loaded: vectors and copies of them would take the place of what stores the last panel.
template <int P>
__attribute__((always_inline)) inline void start_sums(const QGemmTile& t, size_t column, int32_t more,
                                                      int32x4_t (&acc)[P][4]) {
  uint64_t start[8];
  unroll<4>([&](auto c) __attribute__((always_inline)) {
    const int32_t* bias = t.epilogue.bias + column + c * 2;
    uint32_t low = static_cast<uint32_t>(bias[0]) + static_cast<uint32_t>(more),
             high = static_cast<uint32_t>(bias[1]) + static_cast<uint32_t>(more);
    asm("" : "+r"(low), "+r"(high));  // not gathered in a vector
    start[c * 2] = start[c * 2 + 1] = low | static_cast<uint64_t>(high) << 32;
  });
  const auto* from = reinterpret_cast<const uint8_t*>(start);
  unroll<P>([&](auto p) __attribute__((always_inline)) {
    asm("" : "+r"(from) : "m"(start));
    unroll<4>([&](auto c) __attribute__((always_inline)) {
      acc[p][c] = vreinterpretq_s32_u8(vld1q_u8(from + c * 16));
      asm("" : "+w"(acc[p][c]));  // loaded here, beside what stores the last panel
    });
  });
  // Of rows 2p and 2p + 1, each twice.
  if (t.epilogue.row_bias)
    unroll<P * 4>([&](auto i) __attribute__((always_inline)) {
      acc[i / 4][i % 4] = vaddq_s32(acc[i / 4][i % 4], vld1q_s32(t.epilogue.row_bias + i / 4 * 8 + 2));
    });
}

// R rows, interleaved in pairs, by 4 pairs of columns.
struct Tiles {
  template <int R, NeonEpilogue E>
  static void run(const QGemmTile& caller) {
    constexpr int P = (R + 1) / 2;
    const QGemmTile t = caller;  // bytes written through `c` cannot change it
    const NeonPanels<E> panels(t);
    interleave_rows<P>(t);
    const int8_t* w = t.operands.panel;
    int32x4_t acc[P][4];
    start_sums<P>(t, 0, NeonPanels<E>::kStart, acc);
    for (size_t column = 0; column < t.n; column += 8) {
      w = multiply_panel<P>(t, w, acc);
      panels.template store_pairs<R>(t, column, acc);
      // Those of the next panel; of the last one they are not used.
      start_sums<P>(t, column + 8 < t.n ? column + 8 : column, NeonPanels<E>::kStart, acc);
    }
  }

  template <int R>
  static void any(const QGemmTile& t) {
    constexpr int P = (R + 1) / 2;
    interleave_rows<P>(t);
    const int8_t* w = t.operands.panel;
    for (size_t column = 0; column < t.n; column += 8) {
      int32x4_t acc[P][4];
      start_sums<P>(t, column, 0, acc);
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

void qgemm_s8s8_8x8c8_arm64_i8mm(const QGemmTile& t) {
  run_bounded<Tiles>(t, t.operands.taps * ((t.operands.k + 7) / 8 * 64));
}

}  // namespace octavo
