#include "cpu/isa.h"
#include "kernels/qpack/qpack.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const QPackKernel symbol;
#include "kernels/qpack/kernels.inc"
#undef OCTAVO_KERNEL

// Not a list for dispatch.h: where no instruction set has a kernel it is empty, and kernels are of several kr.
const QPackKernel* qpack_kernel(size_t kr) {
#define OCTAVO_KERNEL(isa, symbol) \
  if (symbol.kr == kr && isa_active(Isa::isa)) return &symbol;
#include "kernels/qpack/kernels.inc"
#undef OCTAVO_KERNEL
  static_cast<void>(kr);
  return nullptr;
}

}  // namespace octavo
