// One axis of Resize: for each output index, the input indices it is made of and their weights. The definitions are
// those of the ONNX operator (version 19) and its reference implementation.
#pragma once

#include <string>
#include <vector>

#include "ops/support/op_support.h"

namespace octavo::ops {

enum class ResizeFn { kNearest, kLinear, kCubic };
enum class Coordinates {
  kHalfPixel,
  kHalfPixelSymmetric,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kCropAndResize
};
enum class NearestMode { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };

struct ResizeAttributes {
  ResizeFn fn = ResizeFn::kNearest;
  Coordinates coordinates = Coordinates::kHalfPixel;
  NearestMode nearest = NearestMode::kRoundPreferFloor;
  float cubic_a = -0.75f, extrapolation = 0;
  bool exclude_outside = false, antialias = false;
  std::vector<float> scales, roi;  // per spatial axis; roi: all starts, then all ends

  Status load(const LoadContext& c);
};

struct ResizeAxis {
  int64_t in = 1, out = 1, taps = 1;
  bool identity = false;
  std::vector<int64_t> index;  // [out, taps], within [0, in)
  std::vector<float> weight;   // [out, taps]
  std::vector<bool> outside;   // [out]: takes the extrapolation value; empty: none

  // axis: number of the spatial axis, for scales and roi.
  Status plan(BindContext& c, const ResizeAttributes& a, int64_t in_size, int64_t out_size, size_t axis, size_t axes);
};

}  // namespace octavo::ops
