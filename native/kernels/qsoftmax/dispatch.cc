#include "cpu/isa.h"
#include "kernels/qsoftmax/qsoftmax.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const QSoftmaxKernel symbol;
#include "kernels/qsoftmax/kernels.inc"
#undef OCTAVO_KERNEL

const QSoftmaxKernel& qsoftmax_kernel() {
  static const QSoftmaxKernel& best = [&]() -> const QSoftmaxKernel& {
#define OCTAVO_KERNEL(isa, symbol) \
  if (isa_active(#isa)) return symbol;
#include "kernels/qsoftmax/kernels.inc"
#undef OCTAVO_KERNEL
    return qsoftmax_scalar;
  }();
  return best;
}

}  // namespace octavo
