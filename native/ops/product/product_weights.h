// Constant weights of an integer product, from whatever the model holds to the kernel's panels, with what is folded of
// the parameters.
#pragma once

#include "kernels/qgemm/pack.h"
#include "ops/product/product_folded.h"
#include "ops/product/weight_source.h"

namespace octavo {

struct ProductWeights {
  const QGemmKernel* kernel = nullptr;
  QGemmLayout layout;    // of one group
  AlignedBuffer packed;  // [groups] layouts
  AlignedBuffer zeros;   // of layouts of fewer than 8 bits, [groups][columns]: what unpacking takes away from a level
  FoldedProduct folded;

  size_t bytes() const { return packed.bytes() + zeros.bytes() + folded.bytes(); }
};

// How a source is packed.
struct PackingOptions {
  WeightRange range;
  bool repeat = false;   // groups are batches that share n parameters; else each has its own
  bool one_tap = false;  // the taps are one for the kernel, k bytes each, one after the other
};

// Packs the weights, less their zero points where the range says so, for a kernel, and folds the parameters when they
// are constant.
Status pack_weights(const LoadContext& c, const ProductOperands& operands, const WeightSource& source,
                    const PackingOptions& options, const QGemmKernel& kernel, ProductWeights* out);

}  // namespace octavo
