// GatherND: out[batch..., k..., :] = x[batch..., indices[batch..., k..., :]..., :].
#include <algorithm>

#include "ops/move/copy_elements.h"
#include "ops/support/indices.h"
#include "ops/support/op_support.h"

namespace octavo {
namespace {

struct Attributes {
  int64_t batch_dims = 0;
  Status load(const LoadContext& c) {
    batch_dims = c.integer("batch_dims", 0);
    return Status::Ok();
  }
};

class GatherND final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    const Shape &x = c.in(0), &indices = c.in(1);
    size_t width;
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 0, &width));
    OCTAVO_RETURN_IF_ERROR(ops::Indices::check_type(c, 1));
    type_ = c.in_type(1);
    if (a.batch_dims < 0 || a.batch_dims >= indices.rank || a.batch_dims >= x.rank)
      return c.error(Code::kInvalidPlan, "batch_dims " + std::to_string(a.batch_dims) + " of ranks " +
                                             std::to_string(x.rank) + " and " + std::to_string(indices.rank));
    first_ = static_cast<int>(a.batch_dims);
    const int64_t depth = indices[indices.rank - 1];
    if (depth < 0 || depth > x.rank - first_)
      return c.error(Code::kShape, "indices " + dims(indices) + " address more axes than the data " + dims(x) + " has");
    depth_ = static_cast<int>(depth);
    for (int i = 0; i < first_; ++i)
      if (x[i] != indices[i])
        return c.error(Code::kShape, "batch axes of data " + dims(x) + " and indices " + dims(indices) + " differ");
    Shape expected;
    if (indices.rank - 1 + x.rank - first_ - depth_ > kMaxRank)
      return c.error(Code::kUnsupported, "an output of more than 8 axes");
    for (int i = 0; i + 1 < indices.rank; ++i) expected.dims[expected.rank++] = indices[i];
    for (int i = first_ + depth_; i < x.rank; ++i) expected.dims[expected.rank++] = x[i];
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", expected, c.out(0)));
    x_ = x;
    run_ = ops::span(x, first_ + depth_, x.rank) * static_cast<int64_t>(width);
    batch_ = ops::span(x, first_, x.rank) * static_cast<int64_t>(width);
    per_batch_ = ops::span(indices, first_, indices.rank - 1);
    count_ = ops::span(indices, 0, indices.rank - 1);
    int64_t stride = run_;
    for (int i = depth_ - 1; i >= 0; --i) {
      strides_[i] = stride;
      stride *= x[first_ + i];
    }
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const ops::Indices indices(c.input(1), type_);
    OCTAVO_RETURN_IF_ERROR(indices.check_tuples(c, count_, depth_, x_, first_));
    if (run_ == 0) return Status::Ok();
    const uint8_t* x = c.in<uint8_t>(0);
    uint8_t* y = c.out<uint8_t>(0);
    const int64_t group = ops::items_per_task(run_);
    c.pool().for_each((count_ + group - 1) / group, [&](int64_t task, int) {
      for (int64_t i = task * group; i < std::min(count_, (task + 1) * group); ++i) {
        const uint8_t* from = x + i / per_batch_ * batch_;
        for (int d = 0; d < depth_; ++d) from += indices.at(i * depth_ + d, x_[first_ + d]) * strides_[d];
        ops::copy_bytes(y + i * run_, from, static_cast<size_t>(run_));
      }
    });
    return Status::Ok();
  }

 private:
  static std::string dims(const Shape& shape) { return ops::dims_text(shape); }

  DType type_ = DType::kInt64;
  Shape x_;
  int first_ = 0, depth_ = 0;
  int64_t run_ = 0, batch_ = 0, per_batch_ = 1, count_ = 0;  // run_, batch_, strides_: bytes
  int64_t strides_[kMaxRank] = {};
};

}  // namespace

Status make_gather_nd(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, GatherND>(c, op);
}

}  // namespace octavo
