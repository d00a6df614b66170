#include "cpu/isa.h"
#include "kernels/finish/finish.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const FinishKernels symbol;
#include "kernels/finish/kernels.inc"
#undef OCTAVO_KERNEL

const FinishKernels& finish_kernels() {
  static const FinishKernels& best = [&]() -> const FinishKernels& {
#define OCTAVO_KERNEL(isa, symbol) \
  if (isa_active(#isa)) return symbol;
#include "kernels/finish/kernels.inc"
#undef OCTAVO_KERNEL
    return finish_scalar;
  }();
  return best;
}

}  // namespace octavo
