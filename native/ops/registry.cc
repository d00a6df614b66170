#include "engine/op.h"

namespace octavo {

#define OCTAVO_OP(name, factory) Status factory(const LoadContext& context, std::unique_ptr<Op>* op);
#include "ops/ops.inc"
#undef OCTAVO_OP

OpFactory find_op(const std::string& name) {
#define OCTAVO_OP(op_name, factory) \
  if (name == #op_name) return factory;
#include "ops/ops.inc"
#undef OCTAVO_OP
  return nullptr;
}

}  // namespace octavo
