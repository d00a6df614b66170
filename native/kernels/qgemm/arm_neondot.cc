// SDOT: Cortex-A55, A76, A78AE (Raspberry Pi 5, Jetson Orin). Sixteen k of a row sit in one register, four columns by
// four k of weights in another; SDOT takes the row's lane.
#include "kernels/qgemm/neon_store.h"

namespace octavo {
namespace {

constexpr size_t kRows = 8;

template <int kLane, int R>
inline void dot_group(int32x4_t (&acc)[R][2], const int8x16_t (&a)[R], const int8_t* w) {
  const int8x16_t w0 = vld1q_s8(w), w1 = vld1q_s8(w + 16);
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    acc[r][0] = vdotq_laneq_s32(acc[r][0], w0, a[r], kLane);
    acc[r][1] = vdotq_laneq_s32(acc[r][1], w1, a[r], kLane);
  }
}

template <int R>
void tile(const QGemmTile& t) {
  int32x4_t acc[R][2];
  const int32x4_t bias0 = vld1q_s32(t.bias), bias1 = vld1q_s32(t.bias + 4);
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) acc[r][0] = bias0, acc[r][1] = bias1;

  const int8_t* w = t.panel;
  for (size_t tap = 0; tap < t.taps; ++tap) {
    const int8_t* row[R];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) row[r] = reinterpret_cast<const int8_t*>(t.rows[tap * kRows + static_cast<size_t>(r)]);
    for (size_t k = 0; k < t.k; k += 16) {
      int8x16_t a[R];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) a[r] = vld1q_s8(row[r] + k);
      const size_t left = t.k - k;
      dot_group<0>(acc, a, w);
      w += 32;
      if (left > 4) dot_group<1>(acc, a, w), w += 32;
      if (left > 8) dot_group<2>(acc, a, w), w += 32;
      if (left > 12) dot_group<3>(acc, a, w), w += 32;
    }
  }

  const NeonRequantize requantize(t.requantize);
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    if (static_cast<size_t>(r) >= t.m) break;
    store_row(t, requantize, static_cast<size_t>(r), acc[r][0], acc[r][1]);
  }
}

}  // namespace

void qgemm_s8s8_8x8c4_arm_neondot(const QGemmTile& t) {
  if (t.m > 4) return tile<8>(t);
  if (t.m > 2) return tile<4>(t);
  if (t.m > 1) return tile<2>(t);
  return tile<1>(t);
}

}  // namespace octavo
