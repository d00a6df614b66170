#include "kernels/dispatch.h"
#include "kernels/finish/finish.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const FinishKernels symbol;
#include "kernels/finish/kernels.inc"
#undef OCTAVO_KERNEL

const FinishKernels& finish_kernels() {
  static constexpr const FinishKernels* kTables[] = {
#define OCTAVO_KERNEL(isa, symbol) &symbol,
#include "kernels/finish/kernels.inc"
#undef OCTAVO_KERNEL
  };
  static const FinishKernels& best = best_table(kTables);
  return best;
}

}  // namespace octavo
