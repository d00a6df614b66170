// BatchNorm: (x - mean) * (scale / sqrt(variance + epsilon)) + bias per index of an axis, float32.
#include <cmath>

#include "kernels/rows/rows.h"
#include "ops/support/axis_view.h"
#include "ops/support/chunks.h"

namespace octavo {
namespace {

struct Attributes {
  float epsilon = 0;
  int64_t axis = 1;
  Status load(const LoadContext& c) {
    epsilon = c.number("epsilon", 1e-5f);
    axis = c.integer("axis", 1);
    return Status::Ok();
  }
};

class BatchNorm final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    epsilon_ = a.epsilon;
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", c.in(0), c.out(0)));
    if (c.in(0).rank == 1 && a.axis == 1) view_.outer = c.in(0)[0];  // one channel
    else OCTAVO_RETURN_IF_ERROR(view_.plan(c, c.in(0), a.axis));
    for (int i = 1; i < 5; ++i)
      if (c.in(i).elements() != view_.n)
        return c.error(Code::kShape,
                       "expected " + std::to_string(view_.n) + " channels, got " + ops::dims_text(c.in(i)));
    c.scratch(static_cast<size_t>(view_.n) * sizeof(float), 0);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const float *x = c.in<float>(0), *scale = c.in<float>(1), *bias = c.in<float>(2), *mean = c.in<float>(3),
                *variance = c.in<float>(4);
    float* y = c.out<float>(0);
    float* factor = static_cast<float*>(c.shared_scratch());
    for (int64_t i = 0; i < view_.n; ++i) factor[i] = scale[i] / std::sqrt(variance[i] + epsilon_);
    const int64_t inner = view_.inner, n = view_.n;
    if (inner == 1) {  // channels last
      ops::for_rows(c.pool(), view_.outer, n, [&](int64_t row) {
        const float* from = x + row * n;
        float* to = y + row * n;
        for (int64_t i = 0; i < n; ++i) to[i] = (from[i] - mean[i]) * factor[i] + bias[i];
      });
    } else {
      ops::for_rows(c.pool(), view_.outer * n, inner, [&](int64_t row) {
        const int64_t i = row % n;
        row_kernels().normalize(x + row * inner, y + row * inner, inner, mean[i], factor[i], bias[i]);
      });
    }
    return Status::Ok();
  }

 private:
  float epsilon_ = 0;
  ops::AxisView view_;
};

}  // namespace

Status make_batch_norm(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, BatchNorm>(c, op);
}

}  // namespace octavo
