#include "kernels/dispatch.h"
#include "kernels/qsoftmax/qsoftmax.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const QSoftmaxKernel symbol;
#include "kernels/qsoftmax/kernels.inc"
#undef OCTAVO_KERNEL

const QSoftmaxKernel& qsoftmax_kernel() {
  static constexpr const QSoftmaxKernel* kTables[] = {
#define OCTAVO_KERNEL(isa, symbol) &symbol,
#include "kernels/qsoftmax/kernels.inc"
#undef OCTAVO_KERNEL
  };
  static const QSoftmaxKernel& best = best_table(kTables);
  return best;
}

}  // namespace octavo
