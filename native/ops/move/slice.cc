// Slice: every steps[i]-th element from starts[i]; negative steps walk backwards.
#include "ops/support/op_support.h"
#include "ops/move/strided_copy.h"

namespace octavo {
namespace {

struct Attributes {
  Status load(const LoadContext&) { return Status::Ok(); }
};

class Slice final : public Bound {
 public:
  Status prepare(const Attributes&, BindContext& c) {
    const Shape &in = c.in(0), &out = c.out(0);
    size_t width;
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 0, &width));
    const std::vector<int64_t> starts = c.integers("starts"), steps = c.integers("steps");
    const size_t rank = static_cast<size_t>(in.rank);
    if (out.rank != in.rank || starts.size() != rank || steps.size() != rank)
      return c.error(Code::kInvalidPlan,
                     "expected one start, step and output size for each of " + std::to_string(rank) + " axes");
    int64_t src[kMaxRank], dst[kMaxRank];
    ops::dense_strides(in, src);
    ops::dense_strides(out, dst);
    ops::CopyAxis axes[kMaxRank];
    const bool empty = out.elements() == 0;
    for (int i = 0; i < in.rank && !empty; ++i) {
      // first and last must be inside; the last is compared by division, so that no product overflows.
      const int64_t first = starts[i], step = steps[i], more = out[i] - 1;
      const bool inside = first >= 0 && first < in[i] && step != 0 && step > INT64_MIN &&
                          (more == 0 || (step > 0 ? (in[i] - 1 - first) / step : first / -step) >= more);
      if (!inside)
        return c.error(Code::kShape, "axis " + std::to_string(i) + " of size " + std::to_string(in[i]) + ": " +
                                         std::to_string(out[i]) + " elements from " + std::to_string(first) + " by " +
                                         std::to_string(step) + " leave the input");
      axes[i] = {out[i], more == 0 ? 0 : src[i] * step, dst[i]};
      offset_ += first * src[i] * static_cast<int64_t>(width);
    }
    if (!empty) copy_.plan(axes, in.rank, width);
    return Status::Ok();
  }
  Status run(RunContext& c) override {
    copy_.run(c.in<uint8_t>(0) + offset_, c.output(0), c.pool());
    return Status::Ok();
  }

 private:
  int64_t offset_ = 0;
  ops::StridedCopy copy_;
};

}  // namespace

Status make_slice(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Slice>(c, op); }

}  // namespace octavo
