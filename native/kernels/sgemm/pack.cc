#include "kernels/sgemm/sgemm.h"

namespace octavo {

size_t sgemm_packed_size(const SgemmKernel& kernel, size_t k, size_t n) {
  return (n + kernel.nr - 1) / kernel.nr * kernel.nr * k;
}

void sgemm_pack(const SgemmKernel& kernel, const float* b, size_t k, size_t n, ptrdiff_t row, ptrdiff_t column,
                float alpha, size_t first, size_t last, float* packed) {
  const size_t nr = kernel.nr;
  for (size_t block = first; block < last; ++block) {
    const size_t j0 = block * nr, columns = n - j0 < nr ? n - j0 : nr;
    float* to = packed + block * nr * k;
    for (size_t i = 0; i < k; ++i, to += nr) {
      const float* from = b + static_cast<ptrdiff_t>(i) * row + static_cast<ptrdiff_t>(j0) * column;
      for (size_t j = 0; j < columns; ++j) to[j] = alpha * from[static_cast<ptrdiff_t>(j) * column];
      for (size_t j = columns; j < nr; ++j) to[j] = 0.0f;
    }
  }
}

}  // namespace octavo
