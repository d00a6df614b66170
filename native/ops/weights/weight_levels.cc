// WeightLevels: weights rounded to levels, a byte each: rint(min(high, max(low, x / scale))) + zero point, in float64.
// Half to even; `bounds` holds low, high (counted from the zero point) and the zero point; bytes are the levels modulo
// 256.
#include "ops/support/chunks.h"
#include "ops/weights/channels.h"
#include "ops/weights/scale_search.h"

namespace octavo {
namespace {

class WeightLevels final : public Bound {
 public:
  Status prepare(const weights::ChannelAttributes& a, BindContext& c) {
    OCTAVO_RETURN_IF_ERROR(a.view(c, &view_));
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "levels", c.in(0), c.out(0)));
    if (c.in(1).elements() != view_.n || c.in(2).elements() != 3)
      return c.error(Code::kShape, "expected " + std::to_string(view_.n) + " scales and three bounds, got " +
                                       ops::dims_text(c.in(1)) + " and " + ops::dims_text(c.in(2)));
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const float* x = c.in<float>(0);
    const float* scales = c.in<float>(1);
    const double* bounds = c.in<double>(2);
    uint8_t* levels = c.out<uint8_t>(0);
    // Also false for NaN: what is converted to an integer is small.
    for (int i = 0; i < 3; ++i)
      if (!(bounds[i] >= -65536 && bounds[i] <= 65536)) return c.error(Code::kData, "bounds are out of range");
    if (view_.inner == 1) {
      ops::for_rows(c.pool(), view_.outer, view_.n, [&](int64_t row) {
        for (int64_t i = 0; i < view_.n; ++i)
          levels[row * view_.n + i] = level(x[row * view_.n + i], scales[i], bounds);
      });
    } else {
      ops::for_rows(c.pool(), view_.outer * view_.n, view_.inner, [&](int64_t row) {
        const double scale = scales[row % view_.n];
        for (int64_t i = row * view_.inner; i < (row + 1) * view_.inner; ++i) levels[i] = level(x[i], scale, bounds);
      });
    }
    return Status::Ok();
  }

 private:
  static uint8_t level(double x, double scale, const double* bounds) {
    const double nearest = weights::nearest(x / scale, {bounds[0], bounds[1]});
    return static_cast<uint8_t>(static_cast<int32_t>(nearest + bounds[2]));
  }

  ops::AxisView view_;
};

}  // namespace

Status make_weight_levels(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<weights::ChannelAttributes, WeightLevels>(c, op);
}

}  // namespace octavo
