#include "kernels/dispatch.h"
#include "kernels/hybrid/hybrid.h"

namespace octavo {

#define OCTAVO_TABLE HybridKernel
#define OCTAVO_TABLES "kernels/hybrid/kernels.inc"
#include "kernels/tables.inc"

const HybridKernel& hybrid_kernel() {
  static const HybridKernel& best = best_table(kTables);
  return best;
}

size_t hybrid_packed_size(size_t k, size_t n) { return (n + kHybridColumns - 1) / kHybridColumns * kHybridColumns * k; }

void hybrid_pack(const int8_t* b, size_t k, size_t n, int8_t* packed) {
  for (size_t first = 0; first < n; first += kHybridColumns)
    for (size_t i = 0; i < k; ++i)
      for (size_t j = 0; j < kHybridColumns; ++j, ++packed)
        *packed = first + j < n ? b[(first + j) * k + i] : int8_t{0};
}

}  // namespace octavo
