// Weights with a scale for each block of k as the model has them, and their packing (kernels/blockgemm/layout.h).
#pragma once

#include "engine/format.h"
#include "kernels/blockgemm/layout.h"

namespace octavo {

struct BlockLevels {
  const uint8_t* data = nullptr;
  Format format;
  bool by_columns = false;  // [n, k]; else [k, n]
};

// Scales and zero points: that of a block of a column is element column * n_stride + block * k_stride.
template <class T>
struct BlockNumbers {
  const T* data = nullptr;
  size_t n_stride = 0, k_stride = 0;

  size_t at(size_t column, size_t block) const { return column * n_stride + block * k_stride; }
};

struct BlockSource {
  BlockLevels levels;
  BlockNumbers<float> scales;
  BlockNumbers<uint8_t> zero_levels;  // of the format of the levels, or
  BlockNumbers<float> zero_floats;
};

// Whether a float16 has this value.
bool is_half(float value);

// Packs the panels [first, end) to their places; packed: where all panels begin.
void pack_blocks(const BlockLayout& layout, const BlockSource& source, size_t first, size_t end, uint8_t* packed);

}  // namespace octavo
