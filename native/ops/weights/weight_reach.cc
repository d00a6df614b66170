// WeightReach: how far the levels of each channel should reach, in float64; 0 where they are all (nearly) zero. The
// largest magnitude, or the share of it whose scale gives the least squared error: of 16 shares down to a half, then of
// 8 around the best. Every sum of errors is added up in the order of the elements; channels are shared out among the
// threads.
#include <cmath>
#include <cstring>

#include "ops/weights/channels.h"
#include "ops/weights/scale_search.h"

namespace octavo {
namespace {

constexpr double kLeastMagnitude = 0x1p-63;  // smaller ones are no scales: the product of two must be a normal float32

using weights::Levels;

struct Attributes : weights::ChannelAttributes {
  bool least_squares = false;
  Status load(const LoadContext& c) {
    least_squares = c.integer("least_squares", 0) != 0;
    return ChannelAttributes::load(c);
  }
};

// NaN where an element is NaN. Negative elements count as what they take of the positive levels.
double largest_magnitude(const float* x, int64_t n, const Levels& levels) {
  const double negative = levels.high / levels.low;
  double largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double v = x[i];
    const double m = v < 0 ? v * negative : std::fabs(v);
    if (m > largest) largest = m;
    else if (m != m) return m;
  }
  return largest;
}

class WeightReach final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    least_squares_ = a.least_squares;
    OCTAVO_RETURN_IF_ERROR(a.view(c, &view_));
    if (c.in(1).elements() != 2) return c.error(Code::kShape, "expected two levels, got " + ops::dims_text(c.in(1)));
    if (c.out(0).elements() != view_.n)
      return c.error(Code::kShape, "expected " + std::to_string(view_.n) + " numbers, got " + ops::dims_text(c.out(0)));
    // A channel that is not in one piece is gathered; where channels are last, as many as share a line of the cache.
    group_ = view_.inner == 1 && view_.outer > 1 ? weights::kGroup : 1;
    if (view_.outer > 1) c.scratch(0, static_cast<size_t>(group_ * length()) * sizeof(float));
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const float* x = c.in<float>(0);
    const double* bounds = c.in<double>(1);
    double* reach = c.out<double>(0);
    const Levels levels{bounds[0], bounds[1]};
    if (!(levels.low < 0 && levels.high > 0)) return c.error(Code::kData, "levels must lie on both sides of zero");
    c.pool().for_each((view_.n + group_ - 1) / group_, [&](int64_t task, int thread) {
      if (c.cancelled().load(std::memory_order_relaxed)) return;
      const int64_t first = task * group_;
      const int64_t n = view_.n - first < group_ ? view_.n - first : group_;
      const float* channels = x + first * length();
      if (view_.outer > 1) {
        float* gathered = static_cast<float*>(c.thread_scratch(thread));
        gather(x, first, n, gathered);
        channels = gathered;
      }
      for (int64_t i = 0; i < n; ++i) reach[first + i] = reach_of(channels + i * length(), levels);
    });
    return Status::Ok();
  }

 private:
  int64_t length() const { return view_.outer * view_.inner; }

  // Channels [first, first + n), each in one piece.
  void gather(const float* x, int64_t first, int64_t n, float* channels) const {
    for (int64_t outer = 0; outer < view_.outer; ++outer)
      for (int64_t i = 0; i < n; ++i) {
        const float* from = x + (outer * view_.n + first + i) * view_.inner;
        float* to = channels + i * length() + outer * view_.inner;
        if (view_.inner == 1) *to = *from;
        else std::memcpy(to, from, static_cast<size_t>(view_.inner) * sizeof(float));
      }
  }

  double reach_of(const float* channel, const Levels& levels) const {
    const double largest = largest_magnitude(channel, length(), levels);
    if (largest < kLeastMagnitude) return 0;
    if (!least_squares_ || largest - largest != 0) return largest;  // infinite or NaN: what is wrong
    const auto scale_of = [&](double share) { return largest * share / levels.high; };
    return largest * weights::best_share(channel, length(), levels, scale_of).share;
  }

  bool least_squares_ = false;
  int64_t group_ = 1;
  ops::AxisView view_;
};

}  // namespace

Status make_weight_reach(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, WeightReach>(c, op);
}

}  // namespace octavo
