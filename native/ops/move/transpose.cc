// Transpose: output axis i is input axis perm[i].
#include "ops/support/op_support.h"
#include "ops/move/strided_copy.h"

namespace octavo {
namespace {

struct Attributes {
  std::vector<int64_t> perm;
  Status load(const LoadContext& c) {
    perm = c.integers("perm");
    return Status::Ok();
  }
};

class Transpose final : public ops::BoundCopy {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    const Shape &in = c.in(0), &out = c.out(0);
    size_t width;
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 0, &width));
    if (static_cast<int64_t>(a.perm.size()) != in.rank)
      return c.error(Code::kInvalidPlan,
                     "perm has " + std::to_string(a.perm.size()) + " axes, the input " + std::to_string(in.rank));
    bool seen[kMaxRank] = {};
    Shape expected;
    expected.rank = in.rank;
    for (int i = 0; i < in.rank; ++i) {
      const int64_t axis = a.perm[i];
      if (axis < 0 || axis >= in.rank || seen[axis]) return c.error(Code::kInvalidPlan, "perm is not a permutation");
      seen[axis] = true;
      expected.dims[i] = in[axis];
    }
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", expected, out));
    int64_t src[kMaxRank] = {}, dst[kMaxRank] = {};
    ops::dense_strides(in, src);
    ops::dense_strides(out, dst);
    ops::CopyAxis axes[kMaxRank];
    for (int i = 0; i < in.rank; ++i) axes[i] = {out[i], src[a.perm[i]], dst[i]};
    copy_.plan(axes, in.rank, width);
    return Status::Ok();
  }
};

}  // namespace

Status make_transpose(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, Transpose>(c, op);
}

}  // namespace octavo
