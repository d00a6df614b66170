#include "kernels/dispatch.h"
#include "kernels/qsoftmax/qsoftmax.h"

namespace octavo {

#define OCTAVO_TABLE QSoftmaxKernel
#define OCTAVO_TABLES "kernels/qsoftmax/kernels.inc"
#include "kernels/tables.inc"

const QSoftmaxKernel& qsoftmax_kernel() {
  static const QSoftmaxKernel& best = best_table(kTables);
  return best;
}

}  // namespace octavo
