#include "kernels/dispatch.h"
#include "kernels/q8/q8.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const Q8Kernels symbol;
#include "kernels/q8/kernels.inc"
#undef OCTAVO_KERNEL

const Q8Kernels& q8_kernels() {
  static constexpr const Q8Kernels* kTables[] = {
#define OCTAVO_KERNEL(isa, symbol) &symbol,
#include "kernels/q8/kernels.inc"
#undef OCTAVO_KERNEL
  };
  static const Q8Kernels& best = best_table(kTables);
  return best;
}

}  // namespace octavo
