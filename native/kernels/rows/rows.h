// Reductions of float32 rows and columns, and the normalizations made of them. A sum has 16 virtual accumulators on
// every instruction set: element i goes to accumulator i mod 16, which are then added pairwise (0+8, 1+9, ...;
// 0+4, ...; 0+2, 1+3; 0+1); so do products, maxima and minima. Inputs may be read kReadSlack bytes past their end.
#pragma once

#include <cstdint>

#include "cpu/isa_id.h"

namespace octavo {

enum class Reduction : uint8_t { kSum, kSumAbs, kSumSquares, kSumExp, kProduct, kMax, kMin };

struct LayerNormRow {
  const float* scale;  // [n] or null
  const float* bias;   // [n] or null
  float epsilon;
  bool rms;  // by the root of the mean square, no mean
};

struct RowKernels {
  Isa isa;
  // Of x[0..n). kSumExp sums exp(x - shift). Max and min of nothing are the infinities; NaN wins over all.
  float (*reduce)(Reduction kind, const float* x, int64_t n, float shift);
  // y[c] = reduction over i of x[i * stride + c], c < columns; the same bits as reduce of that column. shift: [columns]
  // or null.
  void (*reduce_columns)(Reduction kind, const float* x, float* y, int64_t n, int64_t stride, int64_t columns,
                         const float* shift);
  // y = exp(x - max x) / sum; log: y = (x - max x) - log(sum).
  void (*softmax)(const float* x, float* y, int64_t n, bool log);
  void (*softmax_columns)(const float* x, float* y, int64_t n, int64_t stride, int64_t columns, bool log);
  // y = (x - mean) * inverse * scale + bias, inverse = 1 / sqrt(variance + epsilon). mean and inverse are given back.
  void (*layer_norm)(const LayerNormRow& p, const float* x, float* y, int64_t n, float* mean, float* inverse);
  // y = (x - mean) * a + b
  void (*normalize)(const float* x, float* y, int64_t n, float mean, float a, float b);
  // The sum of squares of x - mean.
  float (*squared_deviations)(const float* x, int64_t n, float mean);
  // Smallest and largest of x and 0, NaN left out.
  void (*range)(const float* x, int64_t n, float* min, float* max);
};

const RowKernels& row_kernels();  // the best for this machine

}  // namespace octavo
