// ScatterElements and ScatterND: a copy of the data, then every update in the order of the index tensor, on one thread,
// because updates may meet at the same element.
#include "ops/support/element_walk.h"
#include "ops/move/scatter_reduce.h"
#include "ops/move/strided_copy.h"

namespace octavo {
namespace {

struct Attributes {
  int64_t axis = 0;
  ops::Reduction reduction = ops::Reduction::kNone;
  Status load(const LoadContext& c) {
    axis = c.integer("axis", 0);
    return ops::parse_reduction(c, &reduction);
  }
};

class Scatter : public Bound {
 protected:
  Status prepare_common(ops::Reduction reduction, BindContext& c) {
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 0, &width_));
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 2, &width_));
    OCTAVO_RETURN_IF_ERROR(ops::Indices::check_type(c, 1));
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", c.in(0), c.out(0)));
    type_ = c.in_type(1);
    reduction_ = reduction;
    reduce_ = ops::reduce_function(c.in_type(0));
    if (reduction != ops::Reduction::kNone && reduce_ == nullptr)
      return c.error(Code::kUnsupported, std::string("a reduction of type ") + dtype_name(c.in_type(0)));
    const ops::CopyAxis axis = {c.in(0).elements(), 1, 1};
    copy_.plan(&axis, 1, width_);
    return Status::Ok();
  }
  void update(uint8_t* y, const uint8_t* x, int64_t elements) const {
    if (reduction_ == ops::Reduction::kNone) ops::copy_bytes(y, x, static_cast<size_t>(elements) * width_);
    else reduce_(reduction_, y, x, elements);
  }

  size_t width_ = 0;
  DType type_ = DType::kInt64;
  ops::Reduction reduction_ = ops::Reduction::kNone;
  ops::ReduceFn reduce_ = nullptr;
  ops::StridedCopy copy_;
};

class ScatterElements final : public Scatter {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    OCTAVO_RETURN_IF_ERROR(prepare_common(a.reduction, c));
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "updates", c.in(1), c.in(2)));
    return walk_.prepare(c, c.in(0), c.in(1), a.axis);
  }
  Status run(RunContext& c) override {
    const ops::Indices indices(c.input(1), type_);
    const int64_t count = walk_.indices.elements(), width = static_cast<int64_t>(width_);
    OCTAVO_RETURN_IF_ERROR(indices.check(c, count, walk_.bound, walk_.axis));
    copy_.run(c.input(0), c.output(0), c.pool());
    const uint8_t* updates = c.in<uint8_t>(2);
    uint8_t* y = c.out<uint8_t>(0);
    walk_.range(indices, 0, count, [&](int64_t i, int64_t to) { update(y + to * width, updates + i * width, 1); });
    return Status::Ok();
  }

 private:
  ops::ElementWalk walk_;
};

class ScatterND final : public Scatter {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    OCTAVO_RETURN_IF_ERROR(prepare_common(a.reduction, c));
    const Shape &x = c.in(0), &indices = c.in(1);
    if (indices.rank == 0) return c.error(Code::kShape, "expected indices of at least one axis");
    const int64_t depth = indices[indices.rank - 1];
    if (depth < 0 || depth > x.rank)
      return c.error(Code::kShape, "indices " + ops::dims_text(indices) + " address more axes than the data " +
                                       ops::dims_text(x) + " has");
    depth_ = static_cast<int>(depth);
    Shape expected;
    if (indices.rank - 1 + x.rank - depth_ > kMaxRank)
      return c.error(Code::kUnsupported, "updates of more than 8 axes");
    for (int i = 0; i + 1 < indices.rank; ++i) expected.dims[expected.rank++] = indices[i];
    for (int i = depth_; i < x.rank; ++i) expected.dims[expected.rank++] = x[i];
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "updates", expected, c.in(2)));
    x_ = x;
    count_ = ops::span(indices, 0, indices.rank - 1);
    run_ = ops::span(x, depth_, x.rank);
    ops::dense_strides(x, strides_);
    return Status::Ok();
  }
  Status run(RunContext& c) override {
    const ops::Indices indices(c.input(1), type_);
    OCTAVO_RETURN_IF_ERROR(indices.check_tuples(c, count_, depth_, x_, 0));
    copy_.run(c.input(0), c.output(0), c.pool());
    const uint8_t* updates = c.in<uint8_t>(2);
    const int64_t width = static_cast<int64_t>(width_);
    for (int64_t i = 0; i < count_; ++i) {
      int64_t to = 0;
      for (int d = 0; d < depth_; ++d) to += indices.at(i * depth_ + d, x_[d]) * strides_[d];
      update(c.out<uint8_t>(0) + to * width, updates + i * run_ * width, run_);
    }
    return Status::Ok();
  }

 private:
  Shape x_;
  int depth_ = 0;
  int64_t count_ = 0, run_ = 0;
  int64_t strides_[kMaxRank] = {};
};

}  // namespace

Status make_scatter_elements(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, ScatterElements>(c, op);
}
Status make_scatter_nd(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, ScatterND>(c, op);
}

}  // namespace octavo
