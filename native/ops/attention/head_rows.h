// Rows of heads as a tensor has them: [batch, rows, heads * size] or [batch, heads, rows, size].
#pragma once

#include "ops/support/indices.h"
#include "ops/support/op_support.h"

namespace octavo::ops {

struct HeadRows {
  int64_t batch = 0, heads = 0, rows = 0, size = 0;
  int64_t batch_stride = 0, head_stride = 0, row_stride = 0;  // elements

  // heads: of a tensor of rank 3.
  Status plan(BindContext& c, const char* what, const Shape& shape, int64_t count) {
    if (shape.rank == 4) {
      batch = shape[0], heads = shape[1], rows = shape[2], size = shape[3];
      head_stride = rows * size, row_stride = size;
    } else {
      if (shape.rank != 3 || count < 1 || shape[2] % count != 0)
        return c.error(Code::kShape, std::string(what) + " " + dims_text(shape) +
                                         ": expected rank 4, or rank 3 whose last axis is a multiple of " +
                                         std::to_string(count) + " heads");
      batch = shape[0], heads = count, rows = shape[1], size = shape[2] / count;
      head_stride = size, row_stride = heads * size;
    }
    batch_stride = heads * rows * size;
    return Status::Ok();
  }
  int64_t at(int64_t b, int64_t head, int64_t row) const {
    return b * batch_stride + head * head_stride + row * row_stride;
  }
};

// One number for each element of the batch, or one for all.
class BatchNumbers {
 public:
  Status plan(BindContext& c, int input, int64_t batch) {
    input_ = c.has_input(input) ? input : -1;
    if (input_ < 0) return Status::Ok();
    OCTAVO_RETURN_IF_ERROR(Indices::check_type(c, input));
    type_ = c.in_type(input);
    const int64_t count = c.in(input).elements();
    step_ = count == 1 ? 0 : 1;
    if (count == 1 || count == batch) return Status::Ok();
    return c.error(Code::kShape, "input " + std::to_string(input) + ": expected one number or " +
                                     std::to_string(batch) + ", got " + dims_text(c.in(input)));
  }
  bool present() const { return input_ >= 0; }
  int64_t of(const RunContext& c, int64_t b, int64_t fallback) const {
    return input_ < 0 ? fallback : Indices(c.input(input_), type_).raw(b * step_);
  }

 private:
  int input_ = -1;
  DType type_ = DType::kInt64;
  int64_t step_ = 0;
};

}  // namespace octavo::ops
