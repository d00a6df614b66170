#include "cpu/isa.h"
#include "kernels/q8/q8.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const Q8Kernels symbol;
#include "kernels/q8/kernels.inc"
#undef OCTAVO_KERNEL

const Q8Kernels& q8_kernels() {
  static const Q8Kernels& best = [&]() -> const Q8Kernels& {
#define OCTAVO_KERNEL(isa, symbol) \
  if (isa_active(#isa)) return symbol;
#include "kernels/q8/kernels.inc"
#undef OCTAVO_KERNEL
    return q8_scalar;
  }();
  return best;
}

}  // namespace octavo
