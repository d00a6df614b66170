// LRN: x / (bias + alpha / size * sum of squares of the neighbours along an axis) ^ beta, float32.
#include "kernels/math/precise.h"
#include "ops/support/axis_view.h"
#include "ops/support/chunks.h"

namespace octavo {
namespace {

struct Attributes {
  int64_t axis = 1, size = 1;
  float alpha = 0, beta = 0, bias = 0;
  Status load(const LoadContext& c) {
    axis = c.integer("axis", 1);
    size = c.integer("size", 1);
    alpha = c.number("alpha", 1e-4f);
    beta = c.number("beta", 0.75f);
    bias = c.number("bias", 1.0f);
    if (size < 1 || size > (1 << 20))
      return c.error(Code::kInvalidPlan, "expected a size in [1, 2^20], got " + std::to_string(size));
    return Status::Ok();
  }
};

class LRN final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    a_ = a;
    OCTAVO_RETURN_IF_ERROR(view_.plan(c, c.in(0), a.axis));
    return ops::expect_shape(c, "output", c.in(0), c.out(0));
  }
  Status run(RunContext& c) override {
    const float* x = c.in<float>(0);
    float* y = c.out<float>(0);
    const int64_t n = view_.n, inner = view_.inner;
    const int64_t before = (a_.size - 1) / 2, after = a_.size / 2;
    const float each = a_.alpha / static_cast<float>(a_.size);
    ops::for_rows(c.pool(), view_.outer * n, inner * a_.size, [&](int64_t row) {
      const int64_t i = row % n, first = i < before ? 0 : i - before, last = i + after >= n ? n - 1 : i + after;
      const float* image = x + (row - i) * inner;
      for (int64_t k = 0; k < inner; ++k) {
        float sum = 0;
        for (int64_t j = first; j <= last; ++j) sum += image[j * inner + k] * image[j * inner + k];
        const float base = a_.bias + each * sum;
        y[row * inner + k] = x[row * inner + k] / static_cast<float>(precise_pow(base, a_.beta));
      }
    });
    return Status::Ok();
  }

 private:
  Attributes a_;
  ops::AxisView view_;
};

}  // namespace

Status make_lrn(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, LRN>(c, op); }

}  // namespace octavo
