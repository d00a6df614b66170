// Softmax of quantized rows. The distance d = max - q of a byte from the largest of its row is 0..255, and
// exp(-d * scale) = exp(-16 (d / 16) * scale) * exp(-(d mod 16) * scale): two tables of sixteen values, which vectors
// can look up in registers, and one product.
//
//   e[i] = f32(coarse[d / 16] * fine[d mod 16])
//   y[i] = clamp(rint(f32(e[i] * m)), qmin - zp, qmax - zp) + zp,   m = f32(1 / f32(sum e * y_scale))
//
// The sum has the sixteen accumulators of kernels/rows.
#pragma once

#include <cstdint>

#include "cpu/isa_id.h"

namespace octavo {

struct QSoftmaxParameters {
  float coarse[16];  // exp(f32(-16 i * x_scale))
  float fine[16];    // exp(f32(-i * x_scale))
  bool is_signed;    // of x
  float y_scale;
  int32_t zp, qmin, qmax;
};

// Two rows, each followed by room for a whole vector.
constexpr int64_t qsoftmax_values(int64_t n) { return 2 * ((n + 31) / 16 * 16); }

struct QSoftmaxKernel {
  Isa isa;
  // Rows of n > 0 bytes, one after the other; x and y do not overlap. `values` holds qsoftmax_values(n) floats. x may
  // be read kReadSlack bytes past its end.
  void (*rows)(const QSoftmaxParameters& p, const uint8_t* x, uint8_t* y, int64_t n, int64_t rows, float* values);
};

const QSoftmaxKernel& qsoftmax_kernel();  // the best for this machine

}  // namespace octavo
