#include "cpu/isa.h"
#include "kernels/math/math.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const MathKernels symbol;
#include "kernels/math/kernels.inc"
#undef OCTAVO_KERNEL

const MathKernels& math_kernels() {
  static const MathKernels& best = [&]() -> const MathKernels& {
#define OCTAVO_KERNEL(isa, symbol) \
  if (isa_active(#isa)) return symbol;
#include "kernels/math/kernels.inc"
#undef OCTAVO_KERNEL
    return math_scalar;
  }();
  return best;
}

}  // namespace octavo
