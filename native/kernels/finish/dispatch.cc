#include "kernels/dispatch.h"
#include "kernels/finish/finish.h"

namespace octavo {

#define OCTAVO_TABLE FinishKernels
#define OCTAVO_TABLES "kernels/finish/kernels.inc"
#include "kernels/tables.inc"

const FinishKernels& finish_kernels() {
  static const FinishKernels& best = best_table(kTables);
  return best;
}

}  // namespace octavo
