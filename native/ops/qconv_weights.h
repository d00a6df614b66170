// Constant weights of a quantized convolution, from the ONNX layout to kernel panels.
#pragma once

#include "kernels/qgemm/pack.h"
#include "ops/conv_geometry.h"
#include "ops/qlinear.h"

namespace octavo {

struct QConvWeights {
  const QGemmKernel* kernel = nullptr;
  QGemmLayout layout;    // of one group
  QLinearShape shape;
  AlignedBuffer packed;  // [groups] layouts
  AlignedBuffer sums;
  AlignedBuffer columns; // parameters folded at load
  bool folded = false;
  QLinearParameters parameters;
};

// Signed weights [rows][taps][depth] of w [rows, depth, k...]; zero points are subtracted when every difference is an
// int8 (`*zero_folded`), which is so for uint8 weights around 128. Row r has the
// zero point r % period. False: out of memory.
bool signed_weights(const TensorSpec& w, const QLinear& linear, size_t rows, size_t period, size_t depth, size_t taps,
                    AlignedBuffer* out, bool* zero_folded, bool* narrow);

// Packs [groups][n][taps][k] signed weights for the best kernel, and folds the parameters when they are constant.
Status pack_qconv(const LoadContext& c, const QLinear& linear, const AlignedBuffer& weights, size_t groups, size_t n, size_t taps,
                  size_t k, bool zero_folded, const QGemmKernel& kernel, QConvWeights* out);

}  // namespace octavo
