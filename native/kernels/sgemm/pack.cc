#include <algorithm>

#include "kernels/sgemm/sgemm.h"

namespace octavo {

size_t sgemm_packed_size(const SgemmKernel& kernel, size_t k, size_t n) {
  return (n + kernel.nr - 1) / kernel.nr * kernel.nr * k;
}

namespace {

// Blocks that are packed side by side: the rows of a matrix are read in long pieces, as pages far apart cost more than
// bytes.
constexpr size_t kBlocksTogether = 8;
// k of one column that are read together: a cache line.
constexpr size_t kLine = 16;

struct Block {
  const float* from;  // its first column
  size_t columns;
  float* to;
};

void zero_columns(const Block& block, size_t k, size_t nr) {
  if (block.columns == nr) return;
  for (size_t i = 0; i < k; ++i) std::fill(block.to + i * nr + block.columns, block.to + (i + 1) * nr, 0.0f);
}

// Rows of columns side by side.
void pack_rows(const Block* blocks, size_t count, size_t k, ptrdiff_t row, float alpha, size_t nr) {
  for (size_t i = 0; i < k; ++i)
    for (size_t b = 0; b < count; ++b) {
      const float* from = blocks[b].from + static_cast<ptrdiff_t>(i) * row;
      float* to = blocks[b].to + i * nr;
      for (size_t j = 0; j < blocks[b].columns; ++j) to[j] = alpha * from[j];
    }
}

void pack_columns(const Block& block, size_t k, ptrdiff_t row, ptrdiff_t column, float alpha, size_t nr) {
  for (size_t i = 0; i < k; i += kLine)
    for (size_t j = 0; j < block.columns; ++j) {
      const float* from = block.from + static_cast<ptrdiff_t>(i) * row + static_cast<ptrdiff_t>(j) * column;
      float* to = block.to + i * nr + j;
      const size_t end = std::min(kLine, k - i);
      for (size_t l = 0; l < end; ++l) to[l * nr] = alpha * from[static_cast<ptrdiff_t>(l) * row];
    }
}

}  // namespace

void sgemm_pack(const SgemmKernel& kernel, const float* b, size_t k, size_t n, ptrdiff_t row, ptrdiff_t column,
                float alpha, size_t first, size_t last, float* packed) {
  const size_t nr = kernel.nr;
  while (first < last) {
    Block blocks[kBlocksTogether];
    const size_t count = std::min(kBlocksTogether, last - first);
    for (size_t i = 0; i < count; ++i, ++first) {
      const size_t j = first * nr;
      blocks[i] = {b + static_cast<ptrdiff_t>(j) * column, std::min(nr, n - j), packed + j * k};
      zero_columns(blocks[i], k, nr);
    }
    if (column == 1) pack_rows(blocks, count, k, row, alpha, nr);
    else
      for (size_t i = 0; i < count; ++i) pack_columns(blocks[i], k, row, column, alpha, nr);
  }
}

}  // namespace octavo
