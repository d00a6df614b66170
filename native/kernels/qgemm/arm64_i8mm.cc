// SMMLA (i8mm): 2 rows by 2 columns by 8 k in one instruction. Two rows are zipped into one register; two columns
// lie together in the panel.
#include "kernels/qgemm/neon_store.h"

namespace octavo {
namespace {

constexpr size_t kRows = 8;

inline int8x16_t join(const uint8_t* a, const uint8_t* b) {
  return vcombine_s8(vld1_s8(reinterpret_cast<const int8_t*>(a)), vld1_s8(reinterpret_cast<const int8_t*>(b)));
}

// P pairs of rows by 4 pairs of columns.
template <int P>
void tile(const QGemmTile& t) {
  int32x4_t acc[P][4];  // rows 2p and 2p + 1, columns 2c and 2c + 1: r0c0 r0c1 r1c0 r1c1
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    const int32x2_t bias = vld1_s32(t.bias + c * 2);
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) acc[p][c] = vcombine_s32(bias, bias);
  }

  const int8_t* w = t.panel;
  for (size_t tap = 0; tap < t.taps; ++tap) {
    const uint8_t* const* rows = t.rows + tap * kRows;
    for (size_t k = 0; k < t.k; k += 8, w += 64) {
      int8x16_t a[P];
#pragma GCC unroll 4
      for (int p = 0; p < P; ++p) a[p] = join(rows[p * 2] + k, rows[p * 2 + 1] + k);
#pragma GCC unroll 4
      for (int c = 0; c < 4; ++c) {
        const int8x16_t wv = vld1q_s8(w + c * 16);
#pragma GCC unroll 4
        for (int p = 0; p < P; ++p) acc[p][c] = vmmlaq_s32(acc[p][c], a[p], wv);
      }
    }
  }

  const NeonRequantize requantize(t.requantize);
#pragma GCC unroll 4
  for (int p = 0; p < P; ++p) {
    const size_t row = static_cast<size_t>(p) * 2;
    if (row >= t.m) break;
    store_row(t, requantize, row, vcombine_s32(vget_low_s32(acc[p][0]), vget_low_s32(acc[p][1])),
              vcombine_s32(vget_low_s32(acc[p][2]), vget_low_s32(acc[p][3])));
    if (row + 1 >= t.m) break;
    store_row(t, requantize, row + 1, vcombine_s32(vget_high_s32(acc[p][0]), vget_high_s32(acc[p][1])),
              vcombine_s32(vget_high_s32(acc[p][2]), vget_high_s32(acc[p][3])));
  }
}

}  // namespace

void qgemm_s8s8_8x8c8_arm64_i8mm(const QGemmTile& t) {
  if (t.m > 4) return tile<4>(t);
  if (t.m > 2) return tile<2>(t);
  return tile<1>(t);
}

}  // namespace octavo
