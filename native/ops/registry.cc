#include "engine/op.h"
#include "ops/check_step.h"

namespace octavo {

#define OCTAVO_OP(name, factory) Status factory(const LoadContext& context, std::unique_ptr<Op>* op);
#include "ops/ops.inc"
#undef OCTAVO_OP

namespace {

// A factory sees only steps that the table of steps allows.
template <OpFactory kFactory>
Status create_checked(const LoadContext& context, std::unique_ptr<Op>* op) {
  OCTAVO_RETURN_IF_ERROR(check_step(context));
  return kFactory(context, op);
}

}  // namespace

OpFactory find_op(const std::string& name) {
#define OCTAVO_OP(op_name, factory) \
  if (name == #op_name) return create_checked<factory>;
#include "ops/ops.inc"
#undef OCTAVO_OP
  return nullptr;
}

}  // namespace octavo
