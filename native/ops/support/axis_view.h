// A tensor as [outer, n, inner] around one axis.
#pragma once

#include "ops/support/op_support.h"

namespace octavo::ops {

struct AxisView {
  int64_t outer = 1, n = 1, inner = 1;
  Status plan(BindContext& c, const Shape& shape, int64_t axis) {
    if (axis < 0 || axis >= shape.rank)
      return c.error(Code::kInvalidPlan, "axis " + std::to_string(axis) + " of " + dims_text(shape));
    const int a = static_cast<int>(axis);
    outer = span(shape, 0, a);
    n = shape[a];
    inner = span(shape, a + 1, shape.rank);
    return Status::Ok();
  }
  // Lines along the axis, and where one begins; its elements are `inner` apart.
  int64_t lines() const { return outer * inner; }
  int64_t start(int64_t line) const { return line / inner * n * inner + line % inner; }
};

}  // namespace octavo::ops
