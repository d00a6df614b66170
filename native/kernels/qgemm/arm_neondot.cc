// SDOT: Cortex-A55, A76, A78AE (Raspberry Pi 5, Jetson Orin). Sixteen k of a row sit in one register, four columns by
// four k of weights in another; SDOT takes the row's lane. 8 rows by 8 columns: 16 sums, 8 rows, a few weights.
#include "kernels/qgemm/neon_bounded.h"

namespace octavo {
namespace {

constexpr size_t kRows = 8;

template <int kLane, int R>
__attribute__((always_inline)) inline void dot_group(int32x4_t (&acc)[R][2], const int8x16_t (&a)[R], const int8_t* w) {
  const int8x16_t w0 = vld1q_s8(w), w1 = vld1q_s8(w + 16);
  unroll<R>([&](auto r) __attribute__((always_inline)) {
    acc[r][0] = vdotq_laneq_s32(acc[r][0], w0, a[r], kLane);
    acc[r][1] = vdotq_laneq_s32(acc[r][1], w1, a[r], kLane);
  });
}

// The products of a panel; returns what follows it.
template <int R>
__attribute__((always_inline)) inline const int8_t* multiply(const QGemmTile& t, const int8_t* w,
                                                             int32x4_t (&acc)[R][2]) {
  for (size_t tap = 0; tap < t.operands.taps; ++tap) {
    const int8_t* row[R];
    unroll<R>([&](auto r) __attribute__((always_inline)) {
      row[r] = reinterpret_cast<const int8_t*>(t.operands.rows[tap * kRows + static_cast<size_t>(r)]);
    });
    int8x16_t a[R];
    size_t k = 0;
    for (; k + 16 <= t.operands.k; k += 16, w += 128) {
      unroll<R>([&](auto r) __attribute__((always_inline)) { a[r] = vld1q_s8(row[r] + k); });
      dot_group<0>(acc, a, w);
      dot_group<1>(acc, a, w + 32);
      dot_group<2>(acc, a, w + 64);
      dot_group<3>(acc, a, w + 96);
    }
    const size_t left = t.operands.k - k;
    if (left == 0) continue;
    unroll<R>([&](auto r) __attribute__((always_inline)) { a[r] = vld1q_s8(row[r] + k); });
    dot_group<0>(acc, a, w), w += 32;
    if (left > 4) dot_group<1>(acc, a, w), w += 32;
    if (left > 8) dot_group<2>(acc, a, w), w += 32;
    if (left > 12) dot_group<3>(acc, a, w), w += 32;
  }
  return w;
}

// Sums start with the biases and `more`, loaded: copies of registers would take the place of what stores the last
// panel.
template <int R>
__attribute__((always_inline)) inline void start_sums(const QGemmTile& t, size_t column, int32x4_t more,
                                                      int32x4_t (&acc)[R][2]) {
  int32_t start[8];
  const int32_t* from = start;
  vst1q_s32(start, vaddq_s32(vld1q_s32(t.epilogue.bias + column), more));
  vst1q_s32(start + 4, vaddq_s32(vld1q_s32(t.epilogue.bias + column + 4), more));
  unroll<R>([&](auto r) __attribute__((always_inline)) {
    asm("" : "+r"(from) : "m"(start));
    acc[r][0] = vld1q_s32(from);
    acc[r][1] = vld1q_s32(from + 4);
  });
  add_row_bias(t, acc);
}

struct Tiles {
  template <int R, NeonEpilogue E>
  static void run(const QGemmTile& caller) {
    const QGemmTile t = caller;  // bytes written through `c` cannot change it
    const NeonPanels<E> panels(t);
    const int8_t* w = t.operands.panel;
    int32x4_t acc[R][2];
    start_sums(t, 0, vdupq_n_s32(NeonPanels<E>::kStart), acc);
    for (size_t column = 0; column < t.n; column += 8) {
      w = multiply<R>(t, w, acc);
      panels.store(t, column, acc);
      // Those of the next panel; of the last one they are not used.
      start_sums(t, column + 8 < t.n ? column + 8 : column, vdupq_n_s32(NeonPanels<E>::kStart), acc);
    }
  }

  template <int R>
  static void any(const QGemmTile& t) {
    const int8_t* w = t.operands.panel;
    for (size_t column = 0; column < t.n; column += 8) {
      int32x4_t acc[R][2];
      unroll<R * 2>([&](auto i) __attribute__((always_inline)) {
        acc[i / 2][i % 2] = vld1q_s32(t.epilogue.bias + column + i % 2 * 4);
      });
      add_row_bias(t, acc);
      w = multiply<R>(t, w, acc);
      store_panel<NeonRoundByAdding>(t, column, acc);
    }
  }
};

}  // namespace

void qgemm_s8s8_8x8c4_arm_neondot(const QGemmTile& t) {
  run_bounded<Tiles>(t, t.operands.taps * ((t.operands.k + 3) / 4 * 32));
}

}  // namespace octavo
