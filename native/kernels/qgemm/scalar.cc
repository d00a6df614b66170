// The specification of qgemm, and the kernel of CPUs without a vector unit we know.
#include "kernels/qgemm/qgemm.h"

namespace octavo {
namespace {

constexpr size_t kRows = 4;
constexpr size_t kColumns = 8;

template <class A>
void tile_scalar(const QGemmTile& t) {
  uint32_t acc[kRows][kColumns];  // unsigned: wraps
  for (size_t r = 0; r < kRows; ++r)
    for (size_t n = 0; n < kColumns; ++n)
      acc[r][n] =
          static_cast<uint32_t>(t.bias[n]) + static_cast<uint32_t>(t.row_bias ? t.row_bias[r * kQGemmRowBias] : 0);

  const int8_t* w = t.panel;
  for (size_t tap = 0; tap < t.taps; ++tap) {
    const uint8_t* const* rows = t.rows + tap * kRows;
    for (size_t k = 0; k < t.k; ++k, w += kColumns)
      for (size_t r = 0; r < kRows; ++r) {
        const int32_t a = static_cast<A>(rows[r][k]);
        for (size_t n = 0; n < kColumns; ++n) acc[r][n] += static_cast<uint32_t>(a * w[n]);
      }
  }

  for (size_t r = 0; r < t.m; ++r) {
    uint8_t* c = static_cast<uint8_t*>(t.c) + r * t.c_stride;
    for (size_t n = 0; n < t.n; ++n) {
      const int32_t sum = static_cast<int32_t>(acc[r][n]);
      if (t.store == QGemmStore::kInt32) {
        reinterpret_cast<int32_t*>(c)[n] = sum;
        continue;
      }
      int32_t q = requantize_one(sum, t.multiplier[n], t.requantize);
      if (t.residual) q = add_residual_one(q - t.requantize.zero_point, t.residual[r * t.c_stride + n], t.add);
      c[n] = static_cast<uint8_t>(q);
    }
  }
}

}  // namespace

void qgemm_s8s8_4x8c1_scalar(const QGemmTile& t) { tile_scalar<int8_t>(t); }
void qgemm_u8s8_4x8c1_scalar(const QGemmTile& t) { tile_scalar<uint8_t>(t); }

}  // namespace octavo
