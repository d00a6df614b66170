// Reverse (ReverseSequence): of every batch entry, the first lengths[b] steps of the time axis in reverse order.
#include <algorithm>

#include "ops/move/copy_elements.h"
#include "ops/support/op_support.h"

namespace octavo {
namespace {

struct Attributes {
  int64_t batch_axis = 1, time_axis = 0;
  Status load(const LoadContext& c) {
    batch_axis = c.integer("batch_axis", 1);
    time_axis = c.integer("time_axis", 0);
    const int64_t low = std::min(batch_axis, time_axis), high = std::max(batch_axis, time_axis);
    if (low == 0 && high == 1) return Status::Ok();
    return c.error(Code::kUnsupported, "expected batch and time as the axes 0 and 1, got " +
                                           std::to_string(batch_axis) + " and " + std::to_string(time_axis));
  }
};

class Reverse final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    const Shape& x = c.in(0);
    size_t width;
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 0, &width));
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", x, c.out(0)));
    if (x.rank < 2) return c.error(Code::kShape, "expected a batch and a time axis, got " + ops::dims_text(x));
    time_first_ = a.time_axis == 0;
    times_ = x[static_cast<int>(a.time_axis)];
    batch_ = x[static_cast<int>(a.batch_axis)];
    if (c.in_type(1) != DType::kInt64 || c.in(1).elements() != batch_)
      return c.error(Code::kShape, "expected " + std::to_string(batch_) + " int64 lengths, got " +
                                       dtype_name(c.in_type(1)) + ops::dims_text(c.in(1)));
    run_ = ops::span(x, 2, x.rank) * static_cast<int64_t>(width);
    return Status::Ok();
  }
  Status run(RunContext& c) override {
    const int64_t* lengths = c.in<int64_t>(1);
    for (int64_t b = 0; b < batch_; ++b)
      if (lengths[b] < 0 || lengths[b] > times_)
        return c.error(Code::kData, "length " + std::to_string(lengths[b]) + " of batch entry " + std::to_string(b) +
                                        " is outside of [0, " + std::to_string(times_) + "]");
    if (run_ == 0) return Status::Ok();
    const uint8_t* x = c.in<uint8_t>(0);
    uint8_t* y = c.out<uint8_t>(0);
    const int64_t time_step = time_first_ ? batch_ * run_ : run_, batch_step = time_first_ ? run_ : times_ * run_;
    const int64_t total = batch_ * times_, group = ops::items_per_task(run_);
    c.pool().for_each((total + group - 1) / group, [&](int64_t task, int) {
      for (int64_t i = task * group; i < std::min(total, (task + 1) * group); ++i) {
        const int64_t b = time_first_ ? i % batch_ : i / times_, t = time_first_ ? i / batch_ : i % times_;
        const int64_t from = t < lengths[b] ? lengths[b] - 1 - t : t;
        ops::copy_bytes(y + i * run_, x + from * time_step + b * batch_step, static_cast<size_t>(run_));
      }
    });
    return Status::Ok();
  }

 private:
  bool time_first_ = true;
  int64_t times_ = 0, batch_ = 0, run_ = 0;  // run_: bytes
};

}  // namespace

Status make_reverse(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Reverse>(c, op); }

}  // namespace octavo
