// Copy: the same bytes under another shape.
#include <cstring>

#include "ops/support/op_support.h"
#include "ops/move/strided_copy.h"

namespace octavo {
namespace {

struct Attributes {
  Status load(const LoadContext&) { return Status::Ok(); }
};

class Copy final : public ops::BoundCopy {
 public:
  Status prepare(const Attributes&, BindContext& c) {
    const int64_t bits = bit_width(c.in_type(0)), out_bits = bit_width(c.out_type(0));
    const int64_t bytes = (c.in(0).elements() * bits + 7) / 8, out_bytes = (c.out(0).elements() * out_bits + 7) / 8;
    if (bytes != out_bytes)
      return c.error(Code::kShape,
                     "expected an output of " + std::to_string(bytes) + " bytes, got " + std::to_string(out_bytes));
    const ops::CopyAxis axis = {bytes, 1, 1};
    copy_.plan(&axis, 1, 1);
    return Status::Ok();
  }
};

}  // namespace

Status make_copy(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Copy>(c, op); }

}  // namespace octavo
