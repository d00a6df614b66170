// WeightBlocks: scale, zero point and levels of weights that share a scale, in float64; each such group is a block
// along an axis, an index of it, or all elements. `bounds` holds the least and the largest level, and the zero point
// that symmetric weights have. Scales are the nearest float16 where they are normal ones, so that engines may keep 16
// bits of them. Where the levels on one side of the zero point are more, and scales may have either sign, the larger
// side of the weights goes there. A group that holds what is not finite has that as its scale.
#include <cmath>

#include "ops/support/half.h"
#include "ops/weights/channels.h"
#include "ops/weights/scale_search.h"

namespace octavo {
namespace {

constexpr double kLeastScale = 0x1p-63;  // the product of two is a normal float32
constexpr double kLeastHalf = 0x1p-14, kMostHalf = 65504, kMostScale = 0x1p120;
constexpr int64_t kTask = 16;  // neighbouring groups: where they are columns, they share lines of the cache

struct Attributes : weights::ChannelAttributes {
  int64_t block = 0;  // 0: a scale for each index of the axis
  bool symmetric = true, either_sign = false, least_squares = false;
  Status load(const LoadContext& c) {
    block = c.integer("block_size", 0);
    symmetric = c.integer("symmetric", 1) != 0;
    either_sign = c.integer("either_sign", 0) != 0;
    least_squares = c.integer("least_squares", 0) != 0;
    if (block < 0) return c.error(Code::kInvalidPlan, "negative block_size");
    return ChannelAttributes::load(c);
  }
};

// Where the elements of a group are: `runs` of them `run_stride` apart, of `length` elements `stride` apart.
struct Group {
  int64_t start, runs, run_stride, length, stride;
  int64_t elements() const { return runs * length; }
  bool dense() const { return runs == 1 && stride == 1; }
  template <class F>
  void each(F f) const {
    int64_t i = 0;
    for (int64_t r = 0; r < runs; ++r)
      for (int64_t j = 0; j < length; ++j) f(start + r * run_stride + j * stride, i++);
  }
};

struct Parameters {
  float scale;
  double zero_point;
};

struct Bounds {
  double qmin, qmax, middle;
  weights::Levels around(double zero_point) const { return {qmin - zero_point, qmax - zero_point}; }
};

double rounded(double scale) {
  const double magnitude = std::fabs(scale);
  if (magnitude >= kLeastHalf && magnitude <= kMostHalf) return ops::Float16::from(scale).value();
  const double bounded = magnitude < kLeastScale ? kLeastScale : magnitude > kMostScale ? kMostScale : magnitude;
  return static_cast<float>(scale < 0 ? -bounded : bounded);
}

// What covers [low, high] with levels on both sides of zero.
double covering(double low, double high, const weights::Levels& levels) {
  const double down = low / levels.low, up = high / levels.high;
  return down > up ? down : up;
}

struct Best {
  double scale, error;
};

Best best_of(const float* x, int64_t n, const weights::Levels& levels, double whole) {
  const auto scale_of = [&](double share) { return rounded(whole * share); };
  const weights::BestShare best = weights::best_share(x, n, levels, scale_of);
  return {scale_of(best.share), best.error};
}

// Of least error, by a scale of either sign where one side has more levels.
Best symmetric_best(const Attributes& a, const float* x, int64_t n, double low, double high,
                    const weights::Levels& levels) {
  const Best best = best_of(x, n, levels, covering(low, high, levels));
  if (!a.either_sign || levels.low + levels.high == 0) return best;
  const Best other = best_of(x, n, levels, -covering(-high, -low, levels));
  return other.error < best.error ? other : best;
}

double symmetric_scale(const Attributes& a, const float* x, int64_t n, double low, double high,
                       const weights::Levels& levels) {
  const double whole = covering(low, high, levels);
  if (whole < kLeastScale) return 1;
  const bool lopsided = a.either_sign && levels.low + levels.high != 0;
  if (!a.least_squares) {
    if (!lopsided) return rounded(whole);
    const double most = levels.high > -levels.low ? levels.high : levels.low;
    return rounded((high > -low ? high : low) / most);
  }
  return symmetric_best(a, x, n, low, high, levels).scale;
}

class WeightBlocks final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    a_ = a;
    OCTAVO_RETURN_IF_ERROR(a.view(c, &view_));
    if (a.axis < 0 && a.block != 0) return c.error(Code::kInvalidPlan, "block_size without an axis");
    blocks_ = a.block > 0 ? (view_.n + a.block - 1) / a.block : 0;
    groups_ = a.axis < 0 ? 1 : a.block > 0 ? view_.lines() * blocks_ : view_.n;
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "levels", c.in(0), c.out(2)));
    if (c.in(1).elements() != 3 || c.out(0).elements() != groups_ || c.out(1).elements() != groups_)
      return c.error(Code::kShape, "expected " + std::to_string(groups_) + " scales and zero points and three bounds");
    if (groups_ > 0 && !group(0).dense()) c.scratch(0, static_cast<size_t>(group(0).elements()) * sizeof(float));
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const double* bounds = c.in<double>(1);
    const Bounds b{bounds[0], bounds[1], bounds[2]};
    // Also false for NaN: what is converted to an integer is small.
    if (!(b.qmin >= -65536 && b.qmin < b.middle && b.middle < b.qmax && b.qmax <= 65536))
      return c.error(Code::kData, "expected levels on both sides of the zero point");
    c.pool().for_each((groups_ + kTask - 1) / kTask, [&](int64_t task, int thread) {
      if (c.cancelled().load(std::memory_order_relaxed)) return;
      const int64_t end = groups_ - task * kTask < kTask ? groups_ : (task + 1) * kTask;
      for (int64_t i = task * kTask; i < end; ++i) write(c, b, i, static_cast<float*>(c.thread_scratch(thread)));
    });
    return Status::Ok();
  }

 private:
  Group group(int64_t i) const {
    if (a_.axis < 0) return {0, 1, 0, view_.inner, 1};
    if (a_.block == 0) return {i * view_.inner, view_.outer, view_.n * view_.inner, view_.inner, 1};
    const int64_t outer = i / (blocks_ * view_.inner), within = i % (blocks_ * view_.inner);
    const int64_t first = within / view_.inner * a_.block;
    const int64_t length = view_.n - first < a_.block ? view_.n - first : a_.block;
    return {(outer * view_.n + first) * view_.inner + within % view_.inner, 1, 0, length, view_.inner};
  }

  void write(RunContext& c, const Bounds& b, int64_t i, float* gathered) const {
    const Group g = group(i);
    const float* x = c.in<float>(0);
    const float* values = x + g.start;
    if (!g.dense()) {
      g.each([&](int64_t at, int64_t k) { gathered[k] = x[at]; });
      values = gathered;
    }
    const Parameters p = parameters(values, g.elements(), b);
    const weights::Levels levels = b.around(p.zero_point);
    const double scale = p.scale;
    const bool finite = scale - scale == 0;
    c.out<float>(0)[i] = p.scale;
    c.out<uint8_t>(1)[i] = static_cast<uint8_t>(static_cast<int32_t>(p.zero_point));
    uint8_t* out = c.out<uint8_t>(2);
    g.each([&](int64_t at, int64_t k) {
      const double level = finite ? weights::nearest(values[k] / scale, levels) : 0;
      out[at] = static_cast<uint8_t>(static_cast<int32_t>(level + p.zero_point));
    });
  }

  Parameters parameters(const float* x, int64_t n, const Bounds& b) const {
    double low = 0, high = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double v = x[i];
      if (v - v != 0) return {x[i], b.middle};
      if (v < low) low = v;
      if (v > high) high = v;
    }
    if (a_.symmetric) {
      const double scale = symmetric_scale(a_, x, n, low, high, b.around(b.middle));
      return {static_cast<float>(scale), b.middle};
    }
    if (high - low < kLeastScale) return {1, b.qmin};
    const double whole = rounded((high - low) / (b.qmax - b.qmin));
    const double zero = b.qmin + weights::nearest(-low / whole, {0, b.qmax - b.qmin});
    if (!a_.least_squares) return {static_cast<float>(whole), zero};
    const Best best = best_of(x, n, b.around(zero), whole);
    // Weights of two levels, and those of one mean, are nearer to levels around the middle.
    const Best even = symmetric_best(a_, x, n, low, high, b.around(b.middle));
    if (even.error < best.error) return {static_cast<float>(even.scale), b.middle};
    return {static_cast<float>(best.scale), zero};
  }

  Attributes a_;
  ops::AxisView view_;
  int64_t blocks_ = 0, groups_ = 0;
};

}  // namespace

Status make_weight_blocks(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, WeightBlocks>(c, op);
}

}  // namespace octavo
