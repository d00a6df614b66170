// GridSample: pixels of an image [N, C, spatial...] at positions of a grid [N, out spatial..., axes] (x first),
// float32. Positions, padding and cubic weights are those of the reference implementation of ONNX.
#include <cmath>

#include "kernels/math/precise.h"
#include "ops/support/chunks.h"
#include "ops/support/op_support.h"

namespace octavo {
namespace {

constexpr int kMaxAxes = 3;
constexpr int kMaxTaps = 64;  // 4 per axis
constexpr double kFar = 1e9;  // positions beyond are as good as infinitely far
constexpr double kCubic = -0.75;

enum class Mode { kNearest, kLinear, kCubic };
enum class Padding { kZeros, kBorder, kReflection };

struct Attributes {
  Mode mode = Mode::kLinear;
  Padding padding = Padding::kZeros;
  bool align_corners = false;

  Status load(const LoadContext& c) {
    const std::string m = c.text("fn", "linear"), p = c.text("padding", "zeros");
    if (m != "nearest" && m != "linear" && m != "cubic")
      return c.error(Code::kUnsupported, "no function \"" + m + "\"");
    if (p != "zeros" && p != "border" && p != "reflection")
      return c.error(Code::kUnsupported, "no padding \"" + p + "\"");
    mode = m == "nearest" ? Mode::kNearest : m == "linear" ? Mode::kLinear : Mode::kCubic;
    padding = p == "zeros" ? Padding::kZeros : p == "border" ? Padding::kBorder : Padding::kReflection;
    align_corners = c.integer("align_corners", 0) != 0;
    return Status::Ok();
  }
};

double floor_of(double x) {
  const double r = precise_rint(x);
  return r > x ? r - 1 : r;
}

double reflect(double x, double low, double high) {
  const double range = high - low;
  if (!(range > 0)) return low;
  const double distance = x < low ? low - x : x > high ? x - high : 0;
  if (distance == 0) return x;
  const double times = floor_of(distance / range), rest = distance - times * range;
  const bool even = floor_of(times / 2) * 2 == times;
  return (x < low) == even ? low + rest : high - rest;
}

// The taps of one axis: up to 4 indices (-1: a zero) with their weights.
struct Taps {
  int count = 0;
  int64_t index[4];
  float weight[4];
};

class GridSample final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    a_ = a;
    const Shape &x = c.in(0), &grid = c.in(1), &y = c.out(0);
    axes_ = x.rank - 2;
    if (axes_ < 1 || axes_ > kMaxAxes)
      return c.error(Code::kUnsupported, "expected 1 to 3 spatial axes, got " + ops::dims_text(x));
    if (grid.rank != x.rank || grid[0] != x[0] || grid[grid.rank - 1] != axes_)
      return c.error(Code::kShape, "a grid of " + ops::dims_text(grid) + " for an input of " + ops::dims_text(x));
    Shape expected = x;
    for (int i = 0; i < axes_; ++i) expected.dims[2 + i] = grid[1 + i];
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", expected, y));
    batch_ = x[0];
    channels_ = x[1];
    for (int i = 0; i < axes_; ++i) size_[i] = x[2 + i];
    image_ = ops::span(x, 2, x.rank);
    points_ = ops::span(y, 2, y.rank);
    if (image_ == 0 && batch_ * points_ > 0)
      return c.error(Code::kShape, "no pixels to sample in " + ops::dims_text(x));
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const float* x = c.in<float>(0);
    const float* grid = c.in<float>(1);
    float* y = c.out<float>(0);
    ops::for_rows(c.pool(), batch_ * points_, channels_ * kMaxTaps, [&](int64_t point) {
      int64_t offset[kMaxTaps] = {};
      float weight[kMaxTaps] = {};
      const int taps = gather_taps(grid + point * axes_, offset, weight);
      const int64_t n = point / points_;
      const float* image = x + n * channels_ * image_;
      float* out = y + n * channels_ * points_ + point % points_;
      for (int64_t channel = 0; channel < channels_; ++channel) {
        float sum = 0;
        for (int t = 0; t < taps; ++t) sum += weight[t] * image[channel * image_ + offset[t]];
        out[channel * points_] = sum;
      }
    });
    return Status::Ok();
  }

 private:
  // All combinations of the taps of the axes; those that fall on a zero are left out.
  int gather_taps(const float* position, int64_t* offset, float* weight) const {
    int count = 1;
    offset[0] = 0;
    weight[0] = 1;
    for (int axis = 0; axis < axes_; ++axis) {
      const Taps taps = taps_of(position[axes_ - 1 - axis], size_[axis]);
      int64_t old_offset[kMaxTaps];
      float old_weight[kMaxTaps];
      for (int i = 0; i < count; ++i) {
        old_offset[i] = offset[i];
        old_weight[i] = weight[i];
      }
      int made = 0;
      for (int i = 0; i < count; ++i)
        for (int t = 0; t < taps.count; ++t) {
          if (taps.index[t] < 0) continue;
          offset[made] = old_offset[i] * size_[axis] + taps.index[t];
          weight[made++] = old_weight[i] * taps.weight[t];
        }
      count = made;
    }
    return count;
  }

  Taps taps_of(float normalized, int64_t size) const {
    const double n = static_cast<double>(size), v = static_cast<double>(normalized);
    double x = a_.align_corners ? (v + 1) / 2 * (n - 1) : ((v + 1) * n - 1) / 2;
    if (!(x > -kFar)) x = -kFar;  // NaN too
    if (x > kFar) x = kFar;
    if (a_.mode == Mode::kNearest) x = precise_rint(x);
    const double low = a_.align_corners ? 0 : -0.5, high = a_.align_corners ? n - 1 : n - 0.5;
    if (x < low || x > high) {
      if (a_.padding == Padding::kBorder) x = x < 0 ? 0 : x > n - 1 ? n - 1 : x;
      if (a_.padding == Padding::kReflection) x = reflect(x, low, high);
    }
    Taps taps;
    const double first = floor_of(x), t = x - first;
    switch (a_.mode) {
      case Mode::kNearest: add(&taps, precise_rint(x), 1, size); break;
      case Mode::kLinear:
        add(&taps, first, 1 - t, size);
        add(&taps, first + 1, t, size);
        break;
      case Mode::kCubic:
        add(&taps, first - 1, far_weight(t + 1), size);
        add(&taps, first, near_weight(t), size);
        add(&taps, first + 1, near_weight(1 - t), size);
        add(&taps, first + 2, far_weight(2 - t), size);
        break;
    }
    return taps;
  }

  static double near_weight(double d) { return ((kCubic + 2) * d - (kCubic + 3)) * d * d + 1; }
  static double far_weight(double d) { return ((kCubic * d - 5 * kCubic) * d + 8 * kCubic) * d - 4 * kCubic; }

  void add(Taps* taps, double index, double weight, int64_t size) const {
    const double last = static_cast<double>(size - 1);
    if (index < 0 || index > last) {
      if (a_.padding == Padding::kZeros) index = -1;
      if (a_.padding == Padding::kBorder) index = index < 0 ? 0 : last;
      if (a_.padding == Padding::kReflection) {
        index = floor_of(a_.align_corners ? reflect(index, 0, last) : reflect(index, -0.5, last + 0.5));
        index = index < 0 ? 0 : index > last ? last : index;
      }
    }
    taps->index[taps->count] = static_cast<int64_t>(index);
    taps->weight[taps->count++] = static_cast<float>(weight);
  }

  Attributes a_;
  int axes_ = 0;
  int64_t batch_ = 0, channels_ = 0, image_ = 0, points_ = 0;
  int64_t size_[kMaxAxes] = {};
};

}  // namespace

Status make_grid_sample(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, GridSample>(c, op);
}

}  // namespace octavo
