#include "kernels/blockgemm/blockgemm.h"
#include "kernels/dispatch.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const BlockGemmKernel symbol;
#include "kernels/blockgemm/kernels.inc"
#undef OCTAVO_KERNEL

const BlockGemmKernel& blockgemm_kernel() {
  static constexpr const BlockGemmKernel* kTables[] = {
#define OCTAVO_KERNEL(isa, symbol) &symbol,
#include "kernels/blockgemm/kernels.inc"
#undef OCTAVO_KERNEL
  };
  static const BlockGemmKernel& best = best_table(kTables);
  return best;
}

}  // namespace octavo
