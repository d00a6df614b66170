// Windows of quantized convolutions over NHWC images of one or two spatial axes; one axis is an image of height 1.
#pragma once

#include "ops/support/op_support.h"

namespace octavo {

struct ConvWindow {
  int64_t kernel[2] = {1, 1}, stride[2] = {1, 1}, dilation[2] = {1, 1};
  int64_t group = 1;
  int spatial = 2;

  int64_t taps() const { return kernel[0] * kernel[1]; }
  // From the first tap of an axis to its last.
  int64_t reach(int axis) const { return (kernel[axis] - 1) * dilation[axis]; }
  // From the attributes strides, dilations and group, and the weights [., ., k...].
  Status load(const LoadContext& c, const TensorSpec& w);
};

struct ConvSizes {
  int64_t batch = 0, channels = 0, out_channels = 0;
  int64_t in[2] = {1, 1}, out[2] = {1, 1};
  int64_t begin[2] = {0, 0}, end[2] = {0, 0};  // pads

  // Shapes of x and y and the attribute pads; checks ranks, channels and signs.
  Status bind(const BindContext& c, const ConvWindow& window, int64_t channels_wanted, int64_t out_channels_wanted);
  bool padded() const { return begin[0] != 0 || begin[1] != 0 || end[0] != 0 || end[1] != 0; }
  int64_t pixels() const { return out[0] * out[1]; }
};

// in + pads - dilation * (kernel - 1) - 1, floor divided by stride, + 1; of a convolution from `in` to `out`.
Status check_conv_output(const BindContext& c, const ConvWindow& window, const ConvSizes& sizes);

}  // namespace octavo
