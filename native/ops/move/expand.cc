// Expand (numpy broadcast to the output) and Tile (the output's sizes tell the repeats).
#include "ops/support/op_support.h"
#include "ops/move/strided_copy.h"

namespace octavo {
namespace {

struct Attributes {
  bool tile = false;
  Status load(const LoadContext& c) {
    tile = c.op() == "Tile";
    return Status::Ok();
  }
};

class Repeat final : public ops::BoundCopy {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    const Shape &in = c.in(0), &out = c.out(0);
    size_t width;
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 0, &width));
    if (a.tile ? in.rank != out.rank : in.rank > out.rank) return ops::shape_error(c, "output", in, out);
    int64_t src[kMaxRank], dst[kMaxRank];
    ops::dense_strides(in, src);
    ops::dense_strides(out, dst);
    ops::CopyAxis axes[ops::StridedCopy::kMaxAxes];
    int count = 0;
    const int lead = out.rank - in.rank;
    if (out.elements() == 0) return Status::Ok();
    for (int i = 0; i < out.rank; ++i) {
      const int64_t size = i < lead ? 1 : in[i - lead];
      const bool fits = a.tile ? size > 0 && out[i] % size == 0 : size == 1 || size == out[i];
      if (!fits)
        return ops::shape_error(
            c, a.tile ? "output is no repetition of the input" : "output is no broadcast of the input", in, out);
      axes[count++] = {out[i] / size, 0, dst[i] * size};
      axes[count++] = {size, i < lead ? 0 : src[i - lead], dst[i]};
    }
    copy_.plan(axes, count, width);
    return Status::Ok();
  }
};

}  // namespace

Status make_expand(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Repeat>(c, op); }
Status make_tile(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Repeat>(c, op); }

}  // namespace octavo
