// Softmax and its logarithm along any axis, float32.
#include "kernels/rows/rows.h"
#include "ops/support/axis_view.h"
#include "ops/support/chunks.h"

namespace octavo {
namespace {

struct Attributes {
  int64_t axis = 0;
  bool log = false;
  Status load(const LoadContext& c) {
    axis = c.integer("axis", 0);
    log = c.integer("log", 0) != 0;
    return Status::Ok();
  }
};

constexpr int64_t kColumns = 64;

class Softmax final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    log_ = a.log;
    OCTAVO_RETURN_IF_ERROR(view_.plan(c, c.in(0), a.axis));
    return ops::expect_shape(c, "output", c.in(0), c.out(0));
  }
  Status run(RunContext& c) override {
    const float* x = c.in<float>(0);
    float* y = c.out<float>(0);
    const int64_t n = view_.n, inner = view_.inner;
    if (n == 0 || view_.lines() == 0) return Status::Ok();
    if (inner == 1) {
      ops::for_rows(c.pool(), view_.outer, n,
                    [&](int64_t row) { row_kernels().softmax(x + row * n, y + row * n, n, log_); });
      return Status::Ok();
    }
    const int64_t tiles = (inner + kColumns - 1) / kColumns;
    ops::for_rows(c.pool(), view_.outer * tiles, n * (inner < kColumns ? inner : kColumns), [&](int64_t index) {
      const int64_t begin = index % tiles * kColumns, at = index / tiles * n * inner + begin;
      row_kernels().softmax_columns(x + at, y + at, n, inner, inner - begin < kColumns ? inner - begin : kColumns,
                                    log_);
    });
    return Status::Ok();
  }

 private:
  bool log_ = false;
  ops::AxisView view_;
};

}  // namespace

Status make_softmax(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Softmax>(c, op); }

}  // namespace octavo
