#include "ops/product/product_folded.h"

namespace octavo {

bool FoldedProduct::allocate_sums(size_t columns, bool magnitudes) {
  size_t bytes = 0;
  return !__builtin_mul_overflow(columns, sizeof(int32_t), &bytes) && sums_.allocate(bytes) &&
         (!magnitudes || magnitudes_.allocate(bytes));
}

Status FoldedProduct::load(const LoadContext& c, const ProductOperands& operands, int64_t n) {
  shape.sums = sums();
  shape.magnitudes = magnitudes();
  if (!operands.constant()) return Status::Ok();
  OCTAVO_RETURN_IF_ERROR(operands.bind_constants(c, n, &shape.counts));
  ScratchPlan plan;
  ColumnScratch columns;
  columns.add(&plan, shape.columns(), operands.wide());
  if (!plan.fits()) return c.error(Code::kLimit, "too many columns");
  if (!columns_.allocate_unset(plan.bytes())) return c.error(Code::kOutOfMemory, "parameters");
  ProductParameters parameters;
  OCTAVO_RETURN_IF_ERROR(operands.read(nullptr, shape.counts, &parameters));
  const Status status = fold_product(parameters, shape, columns.in(columns_.data()), &epilogue_);
  if (!status.ok()) return c.error(status.code, status.message);
  constant_ = true;
  return Status::Ok();
}

Status FoldedProduct::epilogue(const RunContext& c, const ProductOperands& operands, const ProductShape& bound,
                               const ProductColumns& columns, ProductEpilogue* epilogue) const {
  if (constant_) {
    *epilogue = epilogue_;
    if (!operands.x_in_run()) return Status::Ok();
    ProductParameters parameters;
    OCTAVO_RETURN_IF_ERROR(operands.read(&c, bound.counts, &parameters));
    set_rows(parameters, bound, epilogue);
    return Status::Ok();
  }
  ProductParameters parameters;
  OCTAVO_RETURN_IF_ERROR(operands.read(&c, bound.counts, &parameters));
  const Status status = fold_product(parameters, bound, columns, epilogue);
  return status.ok() ? status : c.error(status.code, status.message);
}

}  // namespace octavo
