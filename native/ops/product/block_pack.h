// Weights with a scale for each block of k as the model has them, and their packing (kernels/blockgemm/layout.h).
#pragma once

#include "kernels/blockgemm/layout.h"
#include "ops/product/weight_source.h"

namespace octavo {

// Scales and zero points: that of a block of a column is element column * n_stride + block * k_stride.
template <class T>
struct BlockNumbers {
  const T* data = nullptr;
  size_t n_stride = 0, k_stride = 0;

  size_t at(size_t column, size_t block) const { return column * n_stride + block * k_stride; }
};

struct BlockSource {
  WeightSource levels;  // one group, one tap
  BlockNumbers<float> scales;
  BlockNumbers<uint8_t> zero_levels;  // of the format of the levels, or
  BlockNumbers<float> zero_floats;
};

// Packs all panels to where the packed weights begin. False: out of memory.
[[nodiscard]] bool pack_blocks(const BlockLayout& layout, const BlockSource& source, uint8_t* packed);

}  // namespace octavo
