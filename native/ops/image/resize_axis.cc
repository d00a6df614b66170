#include "ops/image/resize_axis.h"

#include <cmath>

#include "kernels/math/precise.h"

namespace octavo::ops {
namespace {

template <class E>
bool choose(const std::string& text, const char* const* names, int count, E* choice) {
  for (int i = 0; i < count; ++i)
    if (text == names[i]) {
      *choice = static_cast<E>(i);
      return true;
    }
  return false;
}

double floor_of(double x) {
  const double r = precise_rint(x);
  return r > x ? r - 1 : r;
}

// In float32, as the models' own runtimes compute it: nearest neighbours hang on its last bit.
float source(const ResizeAttributes& a, int64_t in, int64_t out, float scale, size_t axis, size_t axes, int64_t o) {
  const float x = static_cast<float>(o), n = static_cast<float>(in), m = static_cast<float>(out);
  if (scale == 1.0f && a.coordinates != Coordinates::kCropAndResize) return x;
  switch (a.coordinates) {
    case Coordinates::kHalfPixel: return (x + 0.5f) / scale - 0.5f;
    case Coordinates::kHalfPixelSymmetric: {
      const float adjustment = m / (scale * n), center = n / 2;
      const float offset = center * (1.0f - adjustment);
      return offset + ((x + 0.5f) / scale - 0.5f);
    }
    case Coordinates::kPytorchHalfPixel: return out > 1 ? (x + 0.5f) / scale - 0.5f : 0.0f;
    case Coordinates::kAlignCorners: {
      // The reference of ONNX takes the resized length as scale * length, not rounded to the size of the output.
      const float resized = a.scales.empty() ? m : scale * n;
      return out == 1 ? 0.0f : x * (n - 1.0f) / (resized - 1.0f);
    }
    case Coordinates::kAsymmetric: return x / scale;
    case Coordinates::kCropAndResize: {
      const float start = a.roi[axis], end = a.roi[axes + axis];
      return out > 1 ? start * (n - 1.0f) + x * (end - start) * (n - 1.0f) / (m - 1.0f)
                     : 0.5f * (start + end) * (n - 1.0f);
    }
  }
  return x;
}

int64_t nearest_index(NearestMode mode, float x) {
  switch (mode) {
    case NearestMode::kRoundPreferFloor: return static_cast<int64_t>(-floor_of(-(static_cast<double>(x) - 0.5)));
    case NearestMode::kRoundPreferCeil: return static_cast<int64_t>(floor_of(static_cast<double>(x) + 0.5));
    case NearestMode::kFloor: return static_cast<int64_t>(floor_of(x));
    case NearestMode::kCeil: return static_cast<int64_t>(-floor_of(-static_cast<double>(x)));
  }
  return 0;
}

// The weight of an input at a distance, in units of the coarser of both grids.
double kernel(const ResizeAttributes& a, double distance) {
  const double x = std::fabs(distance), A = a.cubic_a;
  if (a.fn == ResizeFn::kLinear) return x < 1 ? 1 - x : 0;
  if (x <= 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
  return x < 2 ? ((A * x - 5 * A) * x + 8 * A) * x - 4 * A : 0;
}

}  // namespace

Status ResizeAttributes::load(const LoadContext& c) {
  static const char* const fns[] = {"nearest", "linear", "cubic"};
  static const char* const modes[] = {"half_pixel",    "half_pixel_symmetric", "pytorch_half_pixel",
                                      "align_corners", "asymmetric",           "tf_crop_and_resize"};
  static const char* const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
  if (!choose(c.text("fn", "nearest"), fns, 3, &fn))
    return c.error(Code::kUnsupported, "no function \"" + c.text("fn", "") + "\"");
  if (!choose(c.text("coordinates", "half_pixel"), modes, 6, &coordinates))
    return c.error(Code::kUnsupported, "no coordinates \"" + c.text("coordinates", "") + "\"");
  if (!choose(c.text("nearest", "round_prefer_floor"), roundings, 4, &nearest))
    return c.error(Code::kUnsupported, "no rounding \"" + c.text("nearest", "") + "\"");
  cubic_a = c.number("cubic_a", -0.75f);
  extrapolation = c.number("extrapolation", 0.0f);
  exclude_outside = c.integer("exclude_outside", 0) != 0;
  antialias = c.integer("antialias", 0) != 0;
  scales = c.numbers("scales");
  roi = c.numbers("roi");
  for (float s : scales)
    if (!(s > 0) || !std::isfinite(s))
      return c.error(Code::kInvalidPlan, "expected finite positive scales, got " + std::to_string(s));
  for (float r : roi)
    if (!(std::fabs(r) < 1e6f))
      return c.error(Code::kInvalidPlan, "expected a region of interest below 10^6, got " + std::to_string(r));
  return Status::Ok();
}

Status ResizeAxis::plan(BindContext& c, const ResizeAttributes& a, int64_t in_size, int64_t out_size, size_t axis,
                        size_t axes) {
  in = in_size;
  out = out_size;
  if (!a.scales.empty() && a.scales.size() != axes)
    return c.error(Code::kInvalidPlan,
                   "expected " + std::to_string(axes) + " scales, got " + std::to_string(a.scales.size()));
  const bool crops = a.coordinates == Coordinates::kCropAndResize;
  if (crops && a.roi.size() != 2 * axes)
    return c.error(Code::kInvalidPlan,
                   "expected " + std::to_string(2 * axes) + " numbers of region, got " + std::to_string(a.roi.size()));
  if (in == 0 && out > 0) return c.error(Code::kShape, "no input to resize");
  const float scale = a.scales.empty() ? static_cast<float>(out) / static_cast<float>(in > 0 ? in : 1) : a.scales[axis];
  if (!crops && scale == 1.0f && in == out) {
    identity = true;
    return Status::Ok();
  }
  const double shrink = a.antialias && scale < 1 ? scale : 1.0;  // the kernel is widened by 1 / shrink
  const double reach = (a.fn == ResizeFn::kCubic ? 2.0 : 1.0) / shrink;
  if (reach > (1 << 20)) return c.error(Code::kUnsupported, "a scale below 2^-20");
  taps = a.fn == ResizeFn::kNearest ? 1 : 2 * static_cast<int64_t>(-floor_of(-reach));
  if (out > 0 && taps > (int64_t{1} << 28) / out) return c.error(Code::kLimit, "more than 2^28 weights");
  index.assign(static_cast<size_t>(out * taps), 0);
  weight.assign(static_cast<size_t>(out * taps), 1.0f);
  if (crops) outside.assign(static_cast<size_t>(out), false);
  const auto clamp = [&](int64_t i) { return i < 0 ? 0 : i >= in ? in - 1 : i; };
  std::vector<double> raw(static_cast<size_t>(taps));
  for (int64_t o = 0; o < out; ++o) {
    const float x = source(a, in, out, scale, axis, axes, o);
    if (crops) outside[static_cast<size_t>(o)] = x < 0 || x > static_cast<float>(in - 1);
    int64_t* indices = index.data() + o * taps;
    float* weights = weight.data() + o * taps;
    if (a.fn == ResizeFn::kNearest) {
      indices[0] = clamp(nearest_index(a.nearest, x));
      continue;
    }
    const int64_t first = static_cast<int64_t>(floor_of(x)) - taps / 2 + 1;
    double sum = 0;
    for (int64_t k = 0; k < taps; ++k) {
      const bool excluded = a.exclude_outside && (first + k < 0 || first + k >= in);
      raw[static_cast<size_t>(k)] = excluded ? 0 : kernel(a, (static_cast<double>(first + k) - x) * shrink);
      indices[k] = clamp(first + k);
      sum += raw[static_cast<size_t>(k)];
    }
    const bool renormalize = a.antialias || a.exclude_outside;
    for (int64_t k = 0; k < taps; ++k)
      weights[k] =
          static_cast<float>(renormalize && sum != 0 ? raw[static_cast<size_t>(k)] / sum : raw[static_cast<size_t>(k)]);
  }
  return Status::Ok();
}

}  // namespace octavo::ops
