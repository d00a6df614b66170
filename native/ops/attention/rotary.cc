// Rotary: pairs of elements of every head turned by the angle of their position, (a, b) -> (a cos - b sin, a sin + b
// cos). Pairs are element i and i + half, or interleaved 2 i and 2 i + 1; what comes after 2 half elements stays.
#include <algorithm>

#include "ops/attention/head_rows.h"
#include "ops/steps.h"
#include "ops/support/chunks.h"

namespace octavo {
namespace {

using step::Rotary;

struct Attributes {
  int64_t heads = 0;
  bool interleaved = false;
  Status load(const LoadContext& c) {
    heads = c.integer("heads", 0);
    interleaved = c.integer("interleaved", 0) != 0;
    return Status::Ok();
  }
};

class BoundRotary final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    interleaved_ = a.interleaved;
    OCTAVO_RETURN_IF_ERROR(x_.plan(c, "x", c.in(Rotary::kX), a.heads));
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", c.in(Rotary::kX), c.out(0)));
    const Shape& cos = c.in(Rotary::kCos);
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "sin", cos, c.in(Rotary::kSin)));
    half_ = cos[cos.rank - 1];
    if (half_ < 1 || 2 * half_ > x_.size)
      return c.error(Code::kShape,
                     "cos " + ops::dims_text(cos) + ": expected a last axis of 1 to " + std::to_string(x_.size / 2));
    if (!c.has_input(Rotary::kPositions)) {
      bound_ = 0;
      return ops::expect_shape(c, "cos", {3, {x_.batch, x_.rows, half_}}, cos);
    }
    if (cos.rank != 2) return c.error(Code::kShape, "cos " + ops::dims_text(cos) + ": expected rank 2 with positions");
    bound_ = cos[0];
    const Shape& positions = c.in(Rotary::kPositions);
    each_ = positions.rank == 2;
    if (each_) {
      OCTAVO_RETURN_IF_ERROR(ops::Indices::check_type(c, Rotary::kPositions));
      type_ = c.in_type(Rotary::kPositions);
      return ops::expect_shape(c, "positions", {2, {x_.batch, x_.rows}}, positions);
    }
    return starts_.plan(c, Rotary::kPositions, x_.batch);
  }

  Status run(RunContext& c) override {
    const bool indexed = c.input(Rotary::kPositions) != nullptr;
    const ops::Indices positions(c.input(Rotary::kPositions), type_);
    const auto position = [&](int64_t b, int64_t s) {
      if (!indexed) return b * x_.rows + s;
      return each_ ? positions.raw(b * x_.rows + s) : starts_.of(c, b, 0) + s;
    };
    for (int64_t b = 0; indexed && b < x_.batch; ++b)
      for (int64_t s = 0; s < x_.rows; ++s)
        if (const int64_t p = position(b, s); p < 0 || p >= bound_)
          return c.error(Code::kData, "position " + std::to_string(p) + " of batch " + std::to_string(b) +
                                          " is outside of [0, " + std::to_string(bound_ - 1) +
                                          "], the angles there are");
    const float *x = c.in<float>(Rotary::kX), *cos = c.in<float>(Rotary::kCos), *sin = c.in<float>(Rotary::kSin);
    float* y = c.out<float>(0);
    ops::for_rows(c.pool(), x_.batch * x_.rows, x_.heads * x_.size, [&](int64_t row) {
      const int64_t b = row / x_.rows, s = row % x_.rows, angle = position(b, s) * half_;
      for (int64_t head = 0; head < x_.heads; ++head) {
        const int64_t at = x_.at(b, head, s);
        turn(x + at, cos + angle, sin + angle, y + at);
      }
    });
    return Status::Ok();
  }

 private:
  void turn(const float* x, const float* cos, const float* sin, float* y) const {
    if (interleaved_) {
      for (int64_t i = 0; i < half_; ++i) {
        const float a = x[2 * i], b = x[2 * i + 1];
        y[2 * i] = a * cos[i] - b * sin[i];
        y[2 * i + 1] = a * sin[i] + b * cos[i];
      }
    } else {
      for (int64_t i = 0; i < half_; ++i) {
        const float a = x[i], b = x[half_ + i];
        y[i] = a * cos[i] - b * sin[i];
        y[half_ + i] = a * sin[i] + b * cos[i];
      }
    }
    std::copy(x + 2 * half_, x + x_.size, y + 2 * half_);
  }

  bool interleaved_ = false, each_ = false;
  int64_t half_ = 0, bound_ = 0;
  DType type_ = DType::kInt64;
  ops::HeadRows x_;
  ops::BatchNumbers starts_;
};

}  // namespace

Status make_rotary(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, BoundRotary>(c, op);
}

}  // namespace octavo
