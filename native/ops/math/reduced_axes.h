// The axes of a reduction, merged: the elements of one result are counted in row-major order of the reduced axes,
// whatever lies between them.
#pragma once

#include "ops/support/op_support.h"

namespace octavo::ops {

struct ReducedAxes {
  int64_t results = 1, count = 1;  // outputs, and elements of each
  int kept = 0, reduced = 0;       // numbers of merged axes of either kind, outermost first
  int64_t kept_size[kMaxRank], kept_stride[kMaxRank], reduced_size[kMaxRank], reduced_stride[kMaxRank];

  // `out` may keep reduced axes as 1 or leave them out: only its number of elements is looked at.
  Status plan(BindContext& c, const std::vector<int64_t>& axes) {
    const Shape& x = c.in(0);
    bool is_reduced[kMaxRank] = {};
    for (int64_t axis : axes) {
      if (axis < 0 || axis >= x.rank)
        return c.error(Code::kInvalidPlan, "axis " + std::to_string(axis) + " of " + dims_text(x));
      is_reduced[axis] = true;
    }
    results = count = 1;
    kept = reduced = 0;
    int64_t strides[kMaxRank];
    dense_strides(x, strides);
    int last = -1;  // kind of the axis before
    Shape expected_kept, expected_without;
    expected_kept.rank = x.rank;
    for (int axis = 0; axis < x.rank; ++axis) {
      expected_kept.dims[axis] = is_reduced[axis] ? 1 : x[axis];
      if (!is_reduced[axis]) expected_without.dims[expected_without.rank++] = x[axis];
      if (x[axis] == 1) continue;
      const bool r = is_reduced[axis];
      int64_t* sizes = r ? reduced_size : kept_size;
      int64_t* steps = r ? reduced_stride : kept_stride;
      int& n = r ? reduced : kept;
      if (last == (r ? 1 : 0)) {
        sizes[n - 1] *= x[axis];
        steps[n - 1] = strides[axis];
      } else {
        sizes[n] = x[axis];
        steps[n++] = strides[axis];
      }
      (r ? count : results) *= x[axis];
      last = r ? 1 : 0;
    }
    if (!(c.out(0) == expected_kept) && !(c.out(0) == expected_without))
      return shape_error(c, "output", expected_kept, c.out(0));
    return Status::Ok();
  }

  // Where the first element of a result lies, and where element i of it does relative to that.
  int64_t start(int64_t result) const { return offset(result, kept, kept_size, kept_stride); }
  int64_t element(int64_t i) const { return offset(i, reduced, reduced_size, reduced_stride); }

  // [outer, n, inner]: at most one run of reduced axes, so that columns of `inner` results lie side by side.
  bool is_simple() const { return reduced <= 1; }
  int64_t inner() const { return reduced == 1 ? reduced_stride[0] : 1; }

 private:
  static int64_t offset(int64_t index, int n, const int64_t* sizes, const int64_t* strides) {
    int64_t at = 0;
    for (int axis = n - 1; axis >= 0; --axis) {
      at += index % sizes[axis] * strides[axis];
      index /= sizes[axis];
    }
    return at;
  }
};

}  // namespace octavo::ops
