#include "kernels/blockgemm/blockgemm.h"
#include "kernels/dispatch.h"

namespace octavo {

#define OCTAVO_TABLE BlockGemmKernel
#define OCTAVO_TABLES "kernels/blockgemm/kernels.inc"
#include "kernels/tables.inc"

const BlockGemmKernel& blockgemm_kernel() {
  static const BlockGemmKernel& best = best_table(kTables);
  return best;
}

}  // namespace octavo
