// TopK: the k largest or smallest elements along an axis and their indices; among equals the lower index comes first.
#include <algorithm>

#include "ops/support/axis_view.h"
#include "ops/support/typed.h"

namespace octavo {
namespace {

struct Attributes {
  int64_t axis = 0;
  bool largest = true;
  Status load(const LoadContext& c) {
    axis = c.integer("axis", 0);
    largest = c.integer("largest", 1) != 0;
    return Status::Ok();
  }
};

class TopK final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    largest_ = a.largest;
    type_ = c.in_type(0);
    const Shape& x = c.in(0);
    OCTAVO_RETURN_IF_ERROR(view_.plan(c, x, a.axis));
    const std::vector<int64_t> k = c.integers("k");
    Shape expected = x;
    k_ = k.size() == 1 ? k[0] : c.out(0).rank == x.rank ? c.out(0)[static_cast<int>(a.axis)] : 0;
    if (k_ < 0 || k_ > view_.n)
      return c.error(Code::kShape, "k is " + std::to_string(k_) + " of " + std::to_string(view_.n) + " elements");
    expected.dims[a.axis] = k_;
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "values", expected, c.out(0)));
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "indices", expected, c.out(1)));
    c.scratch(0, static_cast<size_t>(view_.n) * sizeof(int64_t));
    return Status::Ok();
  }

  // Always sorted, whatever `sorted` says: results do not depend on it.
  Status run(RunContext& c) override {
    ops::with_type(ops::NumberTypes(), type_, [&](auto zero) {
      using T = decltype(zero);
      const T* x = c.in<T>(0);
      T* values = c.out<T>(0);
      int64_t* indices = c.out<int64_t>(1);
      c.pool().for_each(view_.lines(), [&](int64_t line, int thread) {
        int64_t* order = static_cast<int64_t*>(c.thread_scratch(thread));
        const T* from = x + view_.start(line);
        for (int64_t i = 0; i < view_.n; ++i) order[i] = i;
        const int64_t step = view_.inner;
        // NaN is above all numbers, as in numpy; a total order, so that any sort gives the same.
        const auto above = [&](int64_t i, int64_t j) {
          const T a = from[i * step], b = from[j * step];
          const bool nan_a = a != a, nan_b = b != b;
          if (nan_a != nan_b) return largest_ == nan_a;
          if (a != b && !nan_a) return largest_ ? a > b : a < b;
          return i < j;
        };
        std::partial_sort(order, order + k_, order + view_.n, above);
        const int64_t to = line / step * k_ * step + line % step;
        for (int64_t i = 0; i < k_; ++i) {
          values[to + i * step] = from[order[i] * step];
          indices[to + i * step] = order[i];
        }
      });
    });
    return Status::Ok();
  }

 private:
  bool largest_ = true;
  DType type_ = DType::kFloat32;
  int64_t k_ = 0;
  ops::AxisView view_;
};

}  // namespace

Status make_top_k(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, TopK>(c, op); }

}  // namespace octavo
