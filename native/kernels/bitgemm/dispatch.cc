#include "kernels/bitgemm/bitgemm.h"
#include "kernels/dispatch.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const BitKernel symbol;
#include "kernels/bitgemm/kernels.inc"
#undef OCTAVO_KERNEL

namespace {

constexpr const BitKernel* kKernels[] = {
#define OCTAVO_KERNEL(isa, symbol) &symbol,
#include "kernels/bitgemm/kernels.inc"
#undef OCTAVO_KERNEL
};
constexpr size_t kCount = sizeof(kKernels) / sizeof(kKernels[0]);

}  // namespace

const BitKernel* const* bit_kernels(size_t* count) {
  *count = kCount;
  return kKernels;
}

const BitKernel& bit_kernel() {
  for (const BitKernel* kernel : kKernels)
    if (isa_active(kernel->isa) && (kernel->runs_here == nullptr || kernel->runs_here())) return *kernel;
  return *kKernels[kCount - 1];
}

}  // namespace octavo
