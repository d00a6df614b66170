#include "cpu/isa.h"
#include "kernels/qdwconv/qdwconv.h"

namespace octavo {
namespace {

constexpr QDwKernel kKernels[] = {
#define OCTAVO_KERNEL(isa, symbol) {#isa, #symbol, symbol##_s8, symbol##_u8},
#include "kernels/qdwconv/kernels.inc"
#undef OCTAVO_KERNEL
};
constexpr size_t kCount = sizeof(kKernels) / sizeof(kKernels[0]);

}  // namespace

const QDwKernel* qdwconv_kernels(size_t* count) {
  *count = kCount;
  return kKernels;
}

const QDwKernel& choose_qdwconv() {
  for (const QDwKernel& kernel : kKernels)
    if (isa_active(kernel.isa)) return kernel;
  return kKernels[kCount - 1];  // scalar
}

}  // namespace octavo
