// Observe: adds the values of a tensor to running statistics and a histogram (calibration). State, float64:
// count, nonfinite, min, max, sum, sum of squares, width, bins, then the sum of every channel.
#include <cmath>

#include "ops/support/axis_view.h"

namespace octavo {
namespace {

enum { kCount, kNonfinite, kMin, kMax, kSum, kSumSquares, kWidth, kHistogram };

struct Attributes {
  int64_t channel_axis = -1, bins = 0;
  Status load(const LoadContext& c) {
    OCTAVO_RETURN_IF_ERROR(ops::expect_arity(c, 1, 1, 1));
    channel_axis = c.integer("channel_axis", -1);
    bins = c.integer("bins", 0);
    if (bins < 2 || bins % 2 != 0 || bins > (1 << 24))
      return c.error(Code::kInvalidPlan, "expected an even number of bins, got " + std::to_string(bins));
    if (c.input(0)->dtype != DType::kFloat32 || c.output(0).dtype != DType::kFloat64)
      return c.error(Code::kUnsupported, "expected float32 to float64");
    return Status::Ok();
  }
};

// The histogram doubles its width: bins are merged in pairs, counted from zero outwards.
void widen(double* bins, int64_t half) {
  for (int64_t i = 0; i < half; ++i) {  // bin half + i: [i, i + 1) * width
    const int64_t a = 2 * i, b = 2 * i + 1;
    bins[half + i] = (a < half ? bins[half + a] : 0) + (b < half ? bins[half + b] : 0);
  }
  for (int64_t i = 0; i < half; ++i) {  // bin half - 1 - i: [-i - 1, -i) * width
    const int64_t a = 2 * i, b = 2 * i + 1;
    bins[half - 1 - i] = (a < half ? bins[half - 1 - a] : 0) + (b < half ? bins[half - 1 - b] : 0);
  }
}

class Observe final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    bins_ = a.bins;
    const Shape& x = c.in(0);
    view_.outer = x.elements();
    channels_ = 0;
    if (a.channel_axis >= 0) {
      OCTAVO_RETURN_IF_ERROR(view_.plan(c, x, a.channel_axis));
      channels_ = view_.n;
    }
    const int64_t expected = kHistogram + bins_ + channels_;
    if (c.out(0).elements() != expected)
      return c.error(Code::kShape,
                     "expected a state of " + std::to_string(expected) + " numbers, got " + ops::dims_text(c.out(0)));
    return Status::Ok();
  }

  // On one thread: sums in float64 depend on their order.
  Status run(RunContext& c) override {
    const float* x = c.in<float>(0);
    double* state = c.out<double>(0);
    double* histogram = state + kHistogram;
    double* channel_sums = histogram + bins_;
    const int64_t half = bins_ / 2;
    int64_t at = 0;
    for (int64_t outer = 0; outer < view_.outer; ++outer)
      for (int64_t channel = 0; channel < view_.n; ++channel)
        for (int64_t i = 0; i < view_.inner; ++i, ++at) {
          const double v = x[at];
          if (!std::isfinite(v)) {
            state[kNonfinite] += 1;
            continue;
          }
          if (state[kCount] == 0) {
            state[kMin] = state[kMax] = v;
          } else {
            if (v < state[kMin]) state[kMin] = v;
            if (v > state[kMax]) state[kMax] = v;
          }
          state[kCount] += 1;
          state[kSum] += v;
          state[kSumSquares] += v * v;
          if (channels_ > 0) channel_sums[channel] += v;
          histogram[bin(v, state, histogram, half)] += 1;
        }
    return Status::Ok();
  }

 private:
  // The bin of v, after widening where it does not fit. The width starts at the smallest that any float can need:
  // it then depends on the values alone, not on which came first.
  static int64_t bin(double v, double* state, double* histogram, int64_t half) {
    if (state[kWidth] == 0) state[kWidth] = kFirstWidth;
    if (v == 0) return half;
    for (;;) {
      const double position = v / state[kWidth];  // exact: the width is a power of two
      if (position < static_cast<double>(half) && position >= -static_cast<double>(half)) {
        const int64_t whole = static_cast<int64_t>(position);
        return half + (position < static_cast<double>(whole) ? whole - 1 : whole);
      }
      state[kWidth] *= 2;
      widen(histogram, half);
    }
  }
  static constexpr double kFirstWidth = 1.0 / (1ULL << 40);

  int64_t bins_ = 0, channels_ = 0;
  ops::AxisView view_;
};

}  // namespace

Status make_observe(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Observe>(c, op); }

}  // namespace octavo
