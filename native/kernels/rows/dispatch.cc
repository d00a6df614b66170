#include "kernels/dispatch.h"
#include "kernels/rows/rows.h"

namespace octavo {

#define OCTAVO_TABLE RowKernels
#define OCTAVO_TABLES "kernels/rows/kernels.inc"
#include "kernels/tables.inc"

const RowKernels& row_kernels() {
  static const RowKernels& best = best_table(kTables);
  return best;
}

}  // namespace octavo
