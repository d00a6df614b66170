// Append: rows of this run after those of the past, y[b, head, starts[b] + s] = x[b, head, s]. Written over the past,
// as a state is, it moves nothing else.
#include <cstring>

#include "ops/attention/head_rows.h"
#include "ops/move/copy_elements.h"
#include "ops/steps.h"

namespace octavo {
namespace {

using step::Append;

struct Attributes {
  int64_t heads = 0;
  Status load(const LoadContext& c) {
    heads = c.integer("heads", 0);
    return Status::Ok();
  }
  bool writes_over(int input) const { return input == Append::kPast; }
};

// [batch, heads, rows] as [batch, heads, rows, 1].
Shape with_size(Shape shape) {
  if (shape.rank == 3) shape.dims[shape.rank++] = 1;
  return shape;
}

class BoundAppend final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, Append::kX, &width_));
    const bool plain = c.out(0).rank == 3;
    const Shape y = with_size(c.out(0));
    OCTAVO_RETURN_IF_ERROR(x_.plan(c, "x", plain ? with_size(c.in(Append::kX)) : c.in(Append::kX), a.heads));
    OCTAVO_RETURN_IF_ERROR(y_.plan(c, "output", y, 0));
    has_past_ = c.has_input(Append::kPast);
    if (has_past_) {
      OCTAVO_RETURN_IF_ERROR(ops::element_width(c, Append::kPast, &width_));
      OCTAVO_RETURN_IF_ERROR(past_.plan(c, "past", with_size(c.in(Append::kPast)), 0));
    }
    const Shape expected = {4, {x_.batch, x_.heads, has_past_ ? past_.rows : y_.rows, x_.size}};
    if (has_past_) OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "past", expected, with_size(c.in(Append::kPast))));
    Shape made = expected;
    made.dims[2] = y_.rows;
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", made, y));
    return starts_.plan(c, Append::kStarts, x_.batch);
  }

  Status run(RunContext& c) override {
    const int64_t past_rows = has_past_ ? past_.rows : 0;
    for (int64_t b = 0; b < x_.batch; ++b) {
      const int64_t start = starts_.of(c, b, past_rows);
      if (start < 0 || start > past_rows)
        return c.error(Code::kData, "the past of batch " + std::to_string(b) + " has " + std::to_string(start) +
                                        " positions: expected 0 to " + std::to_string(past_rows));
      if (start + x_.rows > y_.rows)
        return c.error(Code::kData, std::to_string(x_.rows) + " positions after " + std::to_string(start) +
                                        " do not fit in " + std::to_string(y_.rows));
    }
    const uint8_t* past = c.in<uint8_t>(Append::kPast);
    const uint8_t* x = c.in<uint8_t>(Append::kX);
    uint8_t* y = c.out<uint8_t>(0);
    const size_t row = static_cast<size_t>(y_.size) * width_;
    if (row == 0 || y_.rows == 0) return Status::Ok();
    c.pool().for_each(x_.batch * x_.heads, [&](int64_t task, int) {
      const int64_t b = task / x_.heads, head = task % x_.heads, start = starts_.of(c, b, past_rows);
      uint8_t* to = y + static_cast<size_t>(y_.at(b, head, 0)) * width_;
      if (past != y) {
        if (start > 0)
          std::memcpy(to, past + static_cast<size_t>(past_.at(b, head, 0)) * width_, static_cast<size_t>(start) * row);
        const int64_t end = start + x_.rows;
        std::memset(to + static_cast<size_t>(end) * row, 0, static_cast<size_t>(y_.rows - end) * row);
      }
      for (int64_t s = 0; s < x_.rows; ++s)
        ops::copy_bytes(to + static_cast<size_t>(start + s) * row, x + static_cast<size_t>(x_.at(b, head, s)) * width_,
                        row);
    });
    return Status::Ok();
  }

 private:
  size_t width_ = 0;
  bool has_past_ = false;
  ops::HeadRows x_, past_, y_;
  ops::BatchNumbers starts_;
};

}  // namespace

Status make_append(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, BoundAppend>(c, op);
}

}  // namespace octavo
