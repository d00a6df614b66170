#include "ops/conv/conv_geometry.h"

namespace octavo {
namespace {

constexpr int64_t kMostStep = int64_t{1} << 30;  // of kernel, stride, dilation and pads: products of two stay in int64

Status read_steps(const LoadContext& c, const char* name, int spatial, int64_t* steps) {
  const std::vector<int64_t> values = c.integers(name);
  if (values.empty()) return Status::Ok();
  if (values.size() != static_cast<size_t>(spatial))
    return c.error(Code::kInvalidPlan, std::string(name) + ": expected " + std::to_string(spatial) + " numbers, got " +
                                           std::to_string(values.size()));
  for (int i = 0; i < spatial; ++i) {
    const int64_t v = values[static_cast<size_t>(i)];
    if (v < 1 || v > kMostStep)
      return c.error(Code::kInvalidPlan, std::string(name) + ": expected positive numbers, got " + std::to_string(v));
    steps[2 - spatial + i] = v;
  }
  return Status::Ok();
}

}  // namespace

Status ConvWindow::load(const LoadContext& c, const TensorSpec& w) {
  if (!w.constant) return c.error(Code::kUnsupported, "expected constant weights");
  spatial = w.shape.rank - 2;
  if (spatial < 1 || spatial > 2)
    return c.error(Code::kUnsupported, "expected weights of 1 or 2 spatial axes, got " + ops::dims_text(w.shape));
  for (int i = 0; i < spatial; ++i) {
    const int64_t k = w.shape[2 + i];
    if (k < 1 || k > kMostStep) return c.error(Code::kInvalidPlan, "kernel of weights " + ops::dims_text(w.shape));
    kernel[2 - spatial + i] = k;
  }
  OCTAVO_RETURN_IF_ERROR(read_steps(c, "strides", spatial, stride));
  OCTAVO_RETURN_IF_ERROR(read_steps(c, "dilations", spatial, dilation));
  group = c.integer("group", 1);
  if (group < 1 || w.shape[0] % group != 0)
    return c.error(Code::kInvalidPlan,
                   "group " + std::to_string(group) + " does not divide weights " + ops::dims_text(w.shape));
  return Status::Ok();
}

Status ConvSizes::bind(const BindContext& c, const ConvWindow& w, int64_t channels_wanted,
                       int64_t out_channels_wanted) {
  const Shape &x = c.in(0), &y = c.out(0);
  if (x.rank != w.spatial + 2 || y.rank != x.rank)
    return c.error(Code::kShape, "expected " + std::to_string(w.spatial) + " spatial axes, got x " + ops::dims_text(x) +
                                     ", y " + ops::dims_text(y));
  batch = x[0];
  channels = x[x.rank - 1];
  out_channels = y[y.rank - 1];
  if (channels != channels_wanted || out_channels != out_channels_wanted || y[0] != batch)
    return c.error(Code::kShape, "expected " + std::to_string(channels_wanted) + " channels to " +
                                     std::to_string(out_channels_wanted) + ", got x " + ops::dims_text(x) + ", y " +
                                     ops::dims_text(y));
  const std::vector<int64_t> pads = c.integers("pads");
  if (!pads.empty() && pads.size() != static_cast<size_t>(2 * w.spatial))
    return c.error(Code::kInvalidPlan,
                   "pads: expected " + std::to_string(2 * w.spatial) + " numbers, got " + std::to_string(pads.size()));
  for (int i = 0; i < w.spatial; ++i) {
    const int axis = 2 - w.spatial + i;
    in[axis] = x[1 + i];
    out[axis] = y[1 + i];
    if (in[axis] > kMostStep || out[axis] > kMostStep) return c.error(Code::kLimit, "an image of " + ops::dims_text(x));
    if (pads.empty()) continue;
    begin[axis] = pads[static_cast<size_t>(i)];
    end[axis] = pads[static_cast<size_t>(w.spatial + i)];
    if (begin[axis] < 0 || end[axis] < 0 || begin[axis] > kMostStep || end[axis] > kMostStep)
      return c.error(Code::kInvalidPlan, "pads: expected non-negative numbers, got " + std::to_string(begin[axis]) +
                                             " and " + std::to_string(end[axis]));
  }
  return Status::Ok();
}

Status check_conv_output(const BindContext& c, const ConvWindow& w, const ConvSizes& s) {
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t room = s.in[axis] + s.begin[axis] + s.end[axis] - w.dilation[axis] * (w.kernel[axis] - 1) - 1;
    const int64_t expected = room < 0 ? 0 : room / w.stride[axis] + 1;
    if (s.out[axis] != expected)
      return c.error(Code::kShape, "output " + ops::dims_text(c.out(0)) + " of input " + ops::dims_text(c.in(0)) +
                                       ": expected " + std::to_string(expected) + " on axis " +
                                       std::to_string(axis - 2 + w.spatial));
  }
  return Status::Ok();
}

}  // namespace octavo
