#include "kernels/dispatch.h"
#include "kernels/qunpack/qunpack.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const QUnpackKernels symbol;
#include "kernels/qunpack/kernels.inc"
#undef OCTAVO_KERNEL

const QUnpackKernels& qunpack_kernels() {
  static constexpr const QUnpackKernels* kTables[] = {
#define OCTAVO_KERNEL(isa, symbol) &symbol,
#include "kernels/qunpack/kernels.inc"
#undef OCTAVO_KERNEL
  };
  static const QUnpackKernels& best = best_table(kTables);
  return best;
}

}  // namespace octavo
