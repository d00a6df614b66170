#include "kernels/dispatch.h"
#include "kernels/qunpack/qunpack.h"

namespace octavo {

#define OCTAVO_TABLE QUnpackKernels
#define OCTAVO_TABLES "kernels/qunpack/kernels.inc"
#include "kernels/tables.inc"

const QUnpackKernels& qunpack_kernels() {
  static const QUnpackKernels& best = best_table(kTables);
  return best;
}

}  // namespace octavo
