// Gather: out[outer, k..., inner] = x[outer, indices[k...], inner].
#include <algorithm>

#include "ops/move/copy_elements.h"
#include "ops/support/indices.h"
#include "ops/support/op_support.h"

namespace octavo {
namespace {

struct Attributes {
  int64_t axis = 0;
  Status load(const LoadContext& c) {
    axis = c.integer("axis", 0);
    return Status::Ok();
  }
};

class Gather final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    const Shape &x = c.in(0), &indices = c.in(1);
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 0, &width_));
    OCTAVO_RETURN_IF_ERROR(ops::Indices::check_type(c, 1));
    if (a.axis < 0 || a.axis >= x.rank)
      return c.error(Code::kInvalidPlan, "axis " + std::to_string(a.axis) + " of rank " + std::to_string(x.rank));
    if (x.rank - 1 + indices.rank > kMaxRank) return c.error(Code::kUnsupported, "an output of more than 8 axes");
    axis_ = static_cast<int>(a.axis);
    type_ = c.in_type(1);
    Shape expected;
    for (int i = 0; i < axis_; ++i) expected.dims[expected.rank++] = x[i];
    for (int i = 0; i < indices.rank; ++i) expected.dims[expected.rank++] = indices[i];
    for (int i = axis_ + 1; i < x.rank; ++i) expected.dims[expected.rank++] = x[i];
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", expected, c.out(0)));
    outer_ = ops::span(x, 0, axis_);
    bound_ = x[axis_];
    count_ = indices.elements();
    run_ = ops::span(x, axis_ + 1, x.rank) * static_cast<int64_t>(width_);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const ops::Indices indices(c.input(1), type_);
    OCTAVO_RETURN_IF_ERROR(indices.check(c, count_, bound_, axis_));
    if (run_ == 0 || count_ == 0) return Status::Ok();
    const uint8_t* x = c.in<uint8_t>(0);
    uint8_t* y = c.out<uint8_t>(0);
    const int64_t total = outer_ * count_, group = ops::items_per_task(run_);
    c.pool().for_each((total + group - 1) / group, [&](int64_t task, int) {
      const int64_t end = std::min(total, (task + 1) * group);
      int64_t i = task * group, o = i / count_, k = i % count_;
      for (; i < end; ++i) {
        ops::copy_bytes(y + i * run_, x + (o * bound_ + indices.at(k, bound_)) * run_, static_cast<size_t>(run_));
        if (++k == count_) {
          k = 0;
          ++o;
        }
      }
    });
    return Status::Ok();
  }

 private:
  size_t width_ = 0;
  int axis_ = 0;
  DType type_ = DType::kInt64;
  int64_t outer_ = 0, bound_ = 0, count_ = 0, run_ = 0;  // run_: bytes
};

}  // namespace

Status make_gather(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Gather>(c, op); }

}  // namespace octavo
