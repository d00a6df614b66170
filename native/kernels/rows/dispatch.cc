#include "cpu/isa.h"
#include "kernels/rows/rows.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const RowKernels symbol;
#include "kernels/rows/kernels.inc"
#undef OCTAVO_KERNEL

const RowKernels& row_kernels() {
  static const RowKernels& best = [&]() -> const RowKernels& {
#define OCTAVO_KERNEL(isa, symbol) \
  if (isa_active(#isa)) return symbol;
#include "kernels/rows/kernels.inc"
#undef OCTAVO_KERNEL
    return row_scalar;
  }();
  return best;
}

}  // namespace octavo
