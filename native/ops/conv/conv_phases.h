// Convolution and its transpose as one thing: a set of phases, each a plain sum of taps over a grid of output pixels.
//
// Conv is one phase: output o reads input o * stride + (k * dilation - pad). ConvTranspose with stride s is one phase
// per o mod s: the taps k with (o + pad - k * dilation) divisible by s, at input j + (o + pad - k * dilation) / s where
// o = p + j * s. No tap is ever multiplied by an inserted zero.
#pragma once

#include <vector>

#include "engine/op.h"

namespace octavo::ops {

constexpr int kMaxSpatial = 3;

// Sizes and attributes; axes that are missing have size 1, so that all convolutions are three-dimensional.
struct ConvGeometry {
  int64_t batch = 1, channels = 1, filters = 1, groups = 1;
  int64_t in[kMaxSpatial] = {1, 1, 1}, out[kMaxSpatial] = {1, 1, 1}, kernel[kMaxSpatial] = {1, 1, 1};
  int64_t stride[kMaxSpatial] = {1, 1, 1}, dilation[kMaxSpatial] = {1, 1, 1}, pad[kMaxSpatial] = {0, 0, 0};
  bool transposed = false;

  // Reads the attributes and checks all sizes. x [N, s..., C], w [M, C/g, k...] or [C, M/g, k...], y [N, o..., M].
  Status read(BindContext& c, const Shape& x, const Shape& w, const Shape& y, int64_t group, bool is_transposed);
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  int64_t group_channels() const { return channels / groups; }
  int64_t group_filters() const { return filters / groups; }
  int64_t in_pixels() const { return in[0] * in[1] * in[2]; }
};

struct ConvTap {
  int64_t kernel = 0;  // index into the k... axes of the weights
  int64_t offset[kMaxSpatial] = {};
};

struct ConvPhase {
  // Pixel j of the grid: output start + j * step, reading input j * in_step + offset of each tap.
  int64_t start[kMaxSpatial], step[kMaxSpatial], in_step[kMaxSpatial], count[kMaxSpatial];
  std::vector<ConvTap> taps;
  int64_t tap_base = 0;  // taps of the phases before
  int64_t pixels() const { return count[0] * count[1] * count[2]; }
};

// The phases that have pixels. Every kernel element is in at most one of them.
std::vector<ConvPhase> conv_phases(const ConvGeometry& g);

}  // namespace octavo::ops
