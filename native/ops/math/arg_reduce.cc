// ArgReduce: where along an axis the largest or smallest element is. NaN counts as the extreme, as in numpy.
#include "ops/support/axis_view.h"
#include "ops/support/chunks.h"
#include "ops/support/typed.h"

namespace octavo {
namespace {

struct Attributes {
  bool max = true, last = false;
  int64_t axis = 0;
  Status load(const LoadContext& c) {
    const std::string fn = c.text("fn", "");
    if (fn != "max" && fn != "min") return c.error(Code::kUnsupported, "no function \"" + fn + "\"");
    max = fn == "max";
    last = c.integer("last", 0) != 0;
    axis = c.integer("axis", 0);
    return Status::Ok();
  }
};

class ArgReduce final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = a;
    type_ = c.in_type(0);
    OCTAVO_RETURN_IF_ERROR(view_.plan(c, c.in(0), a.axis));
    if (view_.lines() > 0 && view_.n == 0)
      return c.error(Code::kShape, "the extreme of no elements: " + ops::dims_text(c.in(0)));
    Shape kept = c.in(0), without = kept;
    kept.dims[a.axis] = 1;
    for (int i = static_cast<int>(a.axis); i + 1 < kept.rank; ++i) without.dims[i] = kept[i + 1];
    --without.rank;
    return c.out(0) == without ? Status::Ok() : ops::expect_shape(c, "output", kept, c.out(0));
  }
  Status run(RunContext& c) override {
    ops::with_type(ops::NumberTypes(), type_, [&](auto zero) {
      using T = decltype(zero);
      const T* x = c.in<T>(0);
      int64_t* y = c.out<int64_t>(0);
      ops::for_rows(c.pool(), view_.lines(), view_.n, [&](int64_t line) { y[line] = find(x + view_.start(line)); });
    });
    return Status::Ok();
  }

 private:
  template <class T>
  int64_t find(const T* x) const {
    int64_t at = 0;
    T best = x[0];
    for (int64_t i = 1; i < view_.n; ++i) {
      const T v = x[i * view_.inner];
      const bool best_nan = best != best;
      const bool better = !best_nan && (v != v || (attributes_.max ? v > best : v < best));
      const bool equal = v == best || (best_nan && v != v);
      if (!better && !(attributes_.last && equal)) continue;
      best = v;
      at = i;
    }
    return at;
  }

  Attributes attributes_;
  DType type_ = DType::kFloat32;
  ops::AxisView view_;
};

}  // namespace

Status make_arg_reduce(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, ArgReduce>(c, op);
}

}  // namespace octavo
