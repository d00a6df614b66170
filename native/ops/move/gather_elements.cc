// GatherElements: out[c] = x[c with c[axis] = indices[c]].
#include <algorithm>

#include "ops/move/copy_elements.h"
#include "ops/support/element_walk.h"

namespace octavo {
namespace {

struct Attributes {
  int64_t axis = 0;
  Status load(const LoadContext& c) {
    axis = c.integer("axis", 0);
    return Status::Ok();
  }
};

class GatherElements final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 0, &width_));
    OCTAVO_RETURN_IF_ERROR(ops::Indices::check_type(c, 1));
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", c.in(1), c.out(0)));
    type_ = c.in_type(1);
    return walk_.prepare(c, c.in(0), c.in(1), a.axis);
  }

  Status run(RunContext& c) override {
    const ops::Indices indices(c.input(1), type_);
    const int64_t count = walk_.indices.elements(), group = ops::items_per_task(static_cast<int64_t>(width_));
    OCTAVO_RETURN_IF_ERROR(indices.check(c, count, walk_.bound, walk_.axis));
    const uint8_t* x = c.in<uint8_t>(0);
    uint8_t* y = c.out<uint8_t>(0);
    const int64_t width = static_cast<int64_t>(width_);
    c.pool().for_each((count + group - 1) / group, [&](int64_t task, int) {
      walk_.range(indices, task * group, std::min(count, (task + 1) * group),
                  [&](int64_t i, int64_t from) { ops::copy_bytes(y + i * width, x + from * width, width_); });
    });
    return Status::Ok();
  }

 private:
  size_t width_ = 0;
  DType type_ = DType::kInt64;
  ops::ElementWalk walk_;
};

}  // namespace

Status make_gather_elements(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, GatherElements>(c, op);
}

}  // namespace octavo
