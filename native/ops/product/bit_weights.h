// Weights of an integer product that are -1 and 1, a bit for each: what a kernel of bitgemm reads. Zero points are left
// to the epilogue, so weights {0, 1} and {-1, 0} are these as well.
#pragma once

#include "kernels/bitgemm/bitgemm.h"
#include "ops/product/product_folded.h"
#include "ops/product/weight_source.h"

namespace octavo {

struct BitWeights {
  const BitKernel* kernel = nullptr;
  size_t groups = 0, n = 0, taps = 0, k = 0;
  size_t words = 0, panels = 0;  // of a tap; of a group
  AlignedBuffer packed;          // [groups][panels][taps][words][nr]
  FoldedProduct folded;
  int32_t x_zero = 0;

  size_t nr() const { return static_cast<size_t>(kernel->nr); }
  size_t panel_words() const { return taps * words * nr(); }
  const uint32_t* panel(size_t group, size_t index) const {
    return packed.as<uint32_t>() + (group * panels + index) * panel_words();
  }
  size_t bytes() const { return packed.bytes() + folded.bytes(); }
};

// Whether a step's activations, less their zero point, are said to be -1, 0 and 1, its parameters constant, and its
// weights -1 and 1. What the plan says of activations is not checked: of others only the sign counts.
bool takes_bits(const LoadContext& c, const ProductOperands& operands);

// Packs a group's columns after another. `repeat`: the groups share n parameters.
Status pack_bits(const LoadContext& c, const ProductOperands& operands, const WeightSource& source, BitWeights* out);

}  // namespace octavo
