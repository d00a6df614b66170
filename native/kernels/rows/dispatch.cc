#include "kernels/dispatch.h"
#include "kernels/rows/rows.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const RowKernels symbol;
#include "kernels/rows/kernels.inc"
#undef OCTAVO_KERNEL

const RowKernels& row_kernels() {
  static constexpr const RowKernels* kTables[] = {
#define OCTAVO_KERNEL(isa, symbol) &symbol,
#include "kernels/rows/kernels.inc"
#undef OCTAVO_KERNEL
  };
  static const RowKernels& best = best_table(kTables);
  return best;
}

}  // namespace octavo
