#include "kernels/dispatch.h"
#include "kernels/math/math.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const MathKernels symbol;
#include "kernels/math/kernels.inc"
#undef OCTAVO_KERNEL

const MathKernels& math_kernels() {
  static constexpr const MathKernels* kTables[] = {
#define OCTAVO_KERNEL(isa, symbol) &symbol,
#include "kernels/math/kernels.inc"
#undef OCTAVO_KERNEL
  };
  static const MathKernels& best = best_table(kTables);
  return best;
}

}  // namespace octavo
