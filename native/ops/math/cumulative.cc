// Cumulative: running sums or products along an axis (CumSum, CumProd).
#include "ops/support/axis_view.h"
#include "ops/support/chunks.h"
#include "ops/support/typed.h"

namespace octavo {
namespace {

struct Attributes {
  bool exclusive = false, reverse = false, product = false;
  Status load(const LoadContext& c) {
    exclusive = c.integer("exclusive", 0) != 0;
    reverse = c.integer("reverse", 0) != 0;
    const std::string fn = c.text("fn", "sum");
    if (fn != "sum" && fn != "prod") return c.error(Code::kUnsupported, "no function \"" + fn + "\"");
    product = fn == "prod";
    return Status::Ok();
  }
};

class Cumulative final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = a;
    type_ = c.in_type(0);
    axis_type_ = c.in_type(1);
    shape_ = c.in(0);
    if (c.in(1).elements() != 1) return c.error(Code::kShape, "expected a scalar axis, got " + ops::dims_text(c.in(1)));
    return ops::expect_shape(c, "output", c.in(0), c.out(0));
  }
  Status run(RunContext& c) override {
    int64_t axis = axis_type_ == DType::kInt32 ? *c.in<int32_t>(1) : *c.in<int64_t>(1);
    if (axis < 0) axis += shape_.rank;
    if (axis < 0 || axis >= shape_.rank)
      return c.error(Code::kData, "expected an axis of " + ops::dims_text(shape_) + ", got " + std::to_string(axis));
    const int a = static_cast<int>(axis);
    ops::AxisView view;
    view.outer = ops::span(shape_, 0, a);
    view.n = shape_[a];
    view.inner = ops::span(shape_, a + 1, shape_.rank);
    ops::with_type(ops::NumberTypes(), type_, [&](auto zero) {
      using T = decltype(zero);
      const T* x = c.in<T>(0);
      T* y = c.out<T>(0);
      ops::for_rows(c.pool(), view.lines(), view.n, [&](int64_t line) {
        T result = attributes_.product ? 1 : 0;
        for (int64_t k = 0; k < view.n; ++k) {
          const int64_t at = view.start(line) + (attributes_.reverse ? view.n - 1 - k : k) * view.inner;
          const T next = attributes_.product ? ops::wrap_mul(result, x[at]) : ops::wrap_add(result, x[at]);
          y[at] = attributes_.exclusive ? result : next;
          result = next;
        }
      });
    });
    return Status::Ok();
  }

 private:
  Attributes attributes_;
  DType type_ = DType::kFloat32, axis_type_ = DType::kInt64;
  Shape shape_;
};

}  // namespace

Status make_cumulative(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, Cumulative>(c, op);
}

}  // namespace octavo
