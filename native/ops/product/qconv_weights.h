// Constant weights of a quantized convolution or product, from wherever they lie to kernel panels.
#pragma once

#include <vector>

#include "kernels/qgemm/pack.h"
#include "ops/conv/conv_geometry.h"
#include "ops/product/qlinear.h"

namespace octavo {

struct QConvWeights {
  const QGemmKernel* kernel = nullptr;
  QGemmLayout layout;  // of one group
  QLinearShape shape;
  AlignedBuffer packed;  // [groups] layouts
  AlignedBuffer sums;
  AlignedBuffer magnitudes;  // of kernels that ask for bounds
  AlignedBuffer columns;     // parameters folded at load
  bool folded = false;
  QLinearParameters parameters;

  size_t bytes() const { return packed.bytes() + sums.bytes() + magnitudes.bytes() + columns.bytes(); }
};

// Bytes of the model: w(group, column, tap, k) is at data[group * group_stride + column * n_stride + taps[tap] + k *
// k_stride].
struct QWeightSource {
  const uint8_t* data = nullptr;
  size_t groups = 0, n = 0, k = 0;
  size_t group_stride = 0, n_stride = 0, k_stride = 1;
  std::vector<size_t> taps;
  bool is_signed = true;
};

// What all weights of a step have in common.
struct QWeightRange {
  bool zero_folded = false;  // every weight minus its zero point is an int8: so for uint8 weights around 128
  bool narrow = false;       // none is -128 then
};

// repeat: the groups are batches that share n zero points; else each has its own.
QWeightRange weight_range(const QWeightSource& source, const QLinear& linear, bool repeat);

// Packs the weights, less their zero points where range says so, for a kernel, and folds the parameters when they are
// constant. joined: the taps are one for the kernel, k bytes each, one behind the other.
Status pack_weights(const LoadContext& c, const QLinear& linear, const QWeightSource& source, const QWeightRange& range,
                    bool joined, const QGemmKernel& kernel, QConvWeights* out);

}  // namespace octavo
