#include "kernels/dispatch.h"
#include "kernels/math/math.h"

namespace octavo {

#define OCTAVO_TABLE MathKernels
#define OCTAVO_TABLES "kernels/math/kernels.inc"
#include "kernels/tables.inc"

const MathKernels& math_kernels() {
  static const MathKernels& best = best_table(kTables);
  return best;
}

}  // namespace octavo
