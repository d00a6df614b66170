// The folded parameters of a product whose weights are constant: folded once where all parameters are, else in every
// run, in scratch of the step.
#pragma once

#include "ops/product/product_fold.h"
#include "ops/support/aligned_buffer.h"

namespace octavo {

class FoldedProduct {
 public:
  // Sums of packed weights and, of kernels that ask for bounds, of their absolute values: [shape.groups][shape.padded].
  // False: out of memory.
  [[nodiscard]] bool allocate_sums(size_t columns, bool magnitudes);
  int32_t* sums() const { return sums_.as<int32_t>(); }
  uint32_t* magnitudes() const { return magnitudes_.as<uint32_t>(); }

  // How the columns lie; the sums in it are those above.
  ProductShape shape;

  // Folds what load knows. `n`: columns in all groups that have parameters of their own.
  Status load(const LoadContext& context, const ProductOperands& operands, int64_t n);
  // Whether no run has to fold.
  bool constant() const { return constant_; }

  // The epilogue of a run. Folded anew into `columns` where it must be; `shape` is that of the binding.
  Status epilogue(const RunContext& context, const ProductOperands& operands, const ProductShape& shape,
                  const ProductColumns& columns, ProductEpilogue* epilogue) const;
  size_t bytes() const { return sums_.bytes() + magnitudes_.bytes() + columns_.bytes(); }

 private:
  AlignedBuffer sums_, magnitudes_, columns_;
  ProductEpilogue epilogue_;
  bool constant_ = false;
};

}  // namespace octavo
