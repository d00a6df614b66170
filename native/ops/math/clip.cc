// Clip: min(max(x, low), high) of any numeric type; NaN stays.
#include <limits>

#include "ops/support/chunks.h"
#include "ops/support/op_support.h"
#include "ops/support/typed.h"

namespace octavo {
namespace {

struct Attributes {
  Status load(const LoadContext&) { return Status::Ok(); }
};

class Clip final : public Bound {
 public:
  Status prepare(const Attributes&, BindContext& c) {
    type_ = c.out_type(0);
    n_ = c.out(0).elements();
    for (int i = 1; i < 3; ++i)
      if (c.has_input(i) && c.in(i).elements() != 1)
        return c.error(Code::kShape, "expected scalar bounds, got " + ops::dims_text(c.in(i)));
    return ops::expect_shape(c, "output", c.in(0), c.out(0));
  }
  Status run(RunContext& c) override {
    ops::with_type(ops::NumberTypes(), type_, [&](auto zero) {
      using T = decltype(zero);
      using Limits = std::numeric_limits<T>;
      const T low = c.input(1) != nullptr ? *c.in<T>(1) : Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
      const T high = c.input(2) != nullptr ? *c.in<T>(2) : Limits::has_infinity ? Limits::infinity() : Limits::max();
      const T* x = c.in<T>(0);
      T* y = c.out<T>(0);
      ops::for_chunks(c.pool(), n_, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const T raised = x[i] < low ? low : x[i];
          y[i] = raised > high ? high : raised;
        }
      });
    });
    return Status::Ok();
  }

 private:
  DType type_ = DType::kFloat32;
  int64_t n_ = 0;
};

}  // namespace

Status make_clip(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Clip>(c, op); }

}  // namespace octavo
