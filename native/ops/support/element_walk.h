// GatherElements and ScatterElements visit the same pairs: element i of the index tensor, and the element of the data
// tensor that has the same coordinates but for `axis`, where the index stands.
#pragma once

#include "ops/support/indices.h"
#include "ops/support/op_support.h"

namespace octavo::ops {

struct ElementWalk {
  Shape indices;
  int64_t strides[kMaxRank] = {};  // of the data; the axis's own apart
  int64_t axis_stride = 0;
  int64_t bound = 0;
  int axis = 0;

  Status prepare(BindContext& c, const Shape& data, const Shape& index_shape, int64_t axis_attribute) {
    if (data.rank != index_shape.rank)
      return c.error(Code::kShape,
                     "data " + dims_text(data) + " and indices " + dims_text(index_shape) + " differ in rank");
    if (axis_attribute < 0 || axis_attribute >= data.rank)
      return c.error(Code::kInvalidPlan,
                     "axis " + std::to_string(axis_attribute) + " of rank " + std::to_string(data.rank));
    axis = static_cast<int>(axis_attribute);
    for (int i = 0; i < data.rank; ++i)
      if (i != axis && index_shape[i] > data[i])
        return c.error(Code::kShape,
                       "indices " + dims_text(index_shape) + " are larger than the data " + dims_text(data));
    indices = index_shape;
    bound = data[axis];
    dense_strides(data, strides);
    axis_stride = strides[axis];
    strides[axis] = 0;
    return Status::Ok();
  }

  // visit(i, offset of the data element) for i in [begin, end); the indices were checked.
  template <class Visit>
  void range(const Indices& values, int64_t begin, int64_t end, Visit&& visit) const {
    if (begin >= end) return;
    int64_t at[kMaxRank], offset = 0, left = begin;
    for (int d = indices.rank - 1; d >= 0; --d) {
      at[d] = left % indices[d];
      left /= indices[d];
      offset += at[d] * strides[d];
    }
    for (int64_t i = begin; i < end; ++i) {
      visit(i, offset + values.at(i, bound) * axis_stride);
      for (int d = indices.rank - 1; d >= 0; --d) {
        offset += strides[d];
        if (++at[d] < indices[d]) break;
        offset -= strides[d] * indices[d];
        at[d] = 0;
      }
    }
  }
};

}  // namespace octavo::ops
