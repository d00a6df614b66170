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
      acc[r][n] = static_cast<uint32_t>(t.epilogue.bias[n]) +
                  static_cast<uint32_t>(t.epilogue.row_bias ? t.epilogue.row_bias[r * kQGemmRowBias] : 0);

  const int8_t* w = t.operands.panel;
  for (size_t tap = 0; tap < t.operands.taps; ++tap) {
    const uint8_t* const* rows = t.operands.rows + tap * kRows;
    for (size_t k = 0; k < t.operands.k; ++k, w += kColumns)
      for (size_t r = 0; r < kRows; ++r) {
        const int32_t a = static_cast<A>(rows[r][k]);
        for (size_t n = 0; n < kColumns; ++n) acc[r][n] += static_cast<uint32_t>(a * w[n]);
      }
  }

  for (size_t r = 0; r < t.m; ++r) {
    uint8_t* c = static_cast<uint8_t*>(t.epilogue.c) + r * t.epilogue.c_stride;
    for (size_t n = 0; n < t.n; ++n) {
      const int32_t sum = static_cast<int32_t>(acc[r][n]);
      if (t.epilogue.store == QGemmStore::kInt32) {
        reinterpret_cast<int32_t*>(c)[n] = sum;
        continue;
      }
      int32_t q = requantize_one(sum, t.epilogue.multiplier[n], t.epilogue.requantize);
      if (t.epilogue.residual)
        q = add_residual_one(q - t.epilogue.requantize.zero_point, t.epilogue.residual[r * t.epilogue.c_stride + n],
                             t.epilogue.add);
      c[n] = static_cast<uint8_t>(q);
    }
  }
}

}  // namespace

void qgemm_s8s8_4x8c1_scalar(const QGemmTile& t) { tile_scalar<int8_t>(t); }
void qgemm_u8s8_4x8c1_scalar(const QGemmTile& t) { tile_scalar<uint8_t>(t); }

}  // namespace octavo
