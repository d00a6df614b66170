// Weights with a scale for each block of k as the model has them, and their packing (kernels/blockgemm/layout.h).
#pragma once

#include "engine/format.h"
#include "kernels/blockgemm/layout.h"

namespace octavo {

// Element (column, k) of the levels is column * n_stride + k * k_stride of the tensor; a level of a block of a column
// is element column * scale_n + block * scale_k of the scales, and so with zero points.
struct BlockSource {
  const uint8_t* data = nullptr;
  Format format;
  size_t n_stride = 0, k_stride = 0;
  const float* scales = nullptr;  // float32, or
  const uint16_t* halves = nullptr;
  size_t scale_n = 0, scale_k = 0;
  const uint8_t* zero_levels = nullptr;  // of the format, or
  const float* zero_floats = nullptr;
  size_t zero_n = 0, zero_k = 0;

  float scale(size_t column, size_t block) const;
  // Of levels: as the layout counts them, from 0 on.
  int32_t zero_level(size_t column, size_t block) const;
  float zero_float(size_t column, size_t block) const;
};

// Packs panels [first, last) to where the packed weights begin.
void pack_blocks(const BlockLayout& layout, const BlockSource& source, size_t first, size_t last, uint8_t* packed);

}  // namespace octavo
