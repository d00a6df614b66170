// Fill: the output is one value everywhere.
#include "ops/support/op_support.h"
#include "ops/move/strided_copy.h"

namespace octavo {
namespace {

struct Attributes {
  Status load(const LoadContext&) { return Status::Ok(); }
};

class Fill final : public ops::BoundCopy {
 public:
  Status prepare(const Attributes&, BindContext& c) {
    size_t width;
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 0, &width));
    if (c.in(0).elements() != 1)
      return c.error(Code::kShape, "expected a scalar value, got " + ops::dims_text(c.in(0)));
    const ops::CopyAxis axis = {c.out(0).elements(), 0, 1};
    copy_.plan(&axis, 1, width);
    return Status::Ok();
  }
};

}  // namespace

Status make_fill(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Fill>(c, op); }

}  // namespace octavo
