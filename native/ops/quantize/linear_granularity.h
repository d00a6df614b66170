// Which scale an element of QuantizeLinear and DequantizeLinear has: one for all, one per index of an axis, or one per
// block of consecutive indices of an axis (ONNX, QuantizeLinear-21).
#pragma once

#include "ops/support/op_support.h"

namespace octavo::ops {

struct Granularity {
  int64_t outer = 1, axis_size = 1, inner = 1;  // the tensor as [outer, axis_size, inner]
  int64_t block = 1;                            // indices of the axis that share a scale
  int64_t scales_outer = 0, scales_inner = 0;   // strides of the scale in outer and inner; 0: shared
  int64_t scales_axis = 0;                      // stride of the scale per block
  int64_t zero_stride = 1;                      // zero points to a scale; 0: one for the tensor

  Status plan(BindContext& c, int64_t axis, int64_t block_size) {
    const Shape &x = c.in(0), &s = c.in(1);
    outer = 1, axis_size = 1, block = 1;
    inner = x.elements();
    scales_outer = scales_inner = scales_axis = 0;
    // One zero point goes with many scales: the middle of the range, whatever the sizes of the scales turn out to be.
    const int64_t zeros = c.has_input(2) ? c.in(2).elements() : 1;
    if (zeros != 1 && zeros != s.elements()) return shape_error(c, "zero point", s, c.in(2));
    zero_stride = zeros == s.elements() ? 1 : 0;
    if (s.elements() == 1 && block_size == 0) return Status::Ok();
    if (axis < 0 || axis >= x.rank)
      return c.error(Code::kInvalidPlan, "axis " + std::to_string(axis) + " of " + dims_text(x));
    const int a = static_cast<int>(axis);
    outer = span(x, 0, a);
    axis_size = x[a];
    inner = span(x, a + 1, x.rank);
    if (block_size == 0) {
      if (s.rank != 1 || s[0] != axis_size)
        return c.error(Code::kShape, "expected one scale or " + std::to_string(axis_size) + ", got " + dims_text(s));
      scales_axis = 1;
      return Status::Ok();
    }
    Shape expected = x;
    if (block_size > 0) expected.dims[a] = axis_size / block_size + (axis_size % block_size != 0);
    if (block_size < 0 || !(s == expected)) return shape_error(c, "scale", expected, s);
    if (inner == 1 && axis_size % block_size == 0) {  // blocks lie one after the other: rows with a scale each
      outer = 1, axis_size = s.elements(), inner = block_size;
      scales_axis = 1;
      return Status::Ok();
    }
    block = block_size;
    scales_inner = 1;
    scales_axis = inner;
    scales_outer = expected[a] * inner;
    return Status::Ok();
  }
  int64_t rows() const { return outer * axis_size; }
  // The first scale of row (outer index * axis_size + axis index); the next element's is scales_inner further.
  int64_t scale_at(int64_t row) const { return row / axis_size * scales_outer + row % axis_size / block * scales_axis; }
};

}  // namespace octavo::ops
