// Constant weights with a scale for each block of k, packed at load.
#pragma once

#include "kernels/blockgemm/blockgemm.h"
#include "ops/support/aligned_buffer.h"
#include "ops/support/op_support.h"

namespace octavo::ops {

// The operands of a step, by position.
struct BlockOperands {
  int b, scale, zero;
  int64_t block_size = 0;
  int64_t activation_block = 0;  // k that share a scale of an activation; 0: as long as suits the kernels
  bool trans_b = false;          // b is [n, k], its scales [n, blocks]; else [k, n] and [blocks, n]
};

class BlockWeights {
 public:
  Status load(const LoadContext& c, const BlockOperands& operands);
  const BlockLayout& layout() const { return layout_; }
  const uint8_t* panel(size_t p) const { return packed_.data() + p * layout_.panel_bytes; }
  size_t bytes() const { return packed_.bytes(); }

 private:
  BlockLayout layout_;
  AlignedBuffer packed_;
};

}  // namespace octavo::ops
