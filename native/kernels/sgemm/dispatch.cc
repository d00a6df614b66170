#include "kernels/dispatch.h"
#include "kernels/sgemm/sgemm.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol, depthwise, mr, nr) \
  void symbol(const SgemmTile& t);                    \
  void depthwise(const DepthwiseStrip& s);            \
  static_assert(mr <= int(kSgemmMaxRows) && nr <= int(kSgemmMaxColumns), #symbol);
#include "kernels/sgemm/kernels.inc"
#undef OCTAVO_KERNEL

namespace {
constexpr SgemmKernel kKernels[] = {
#define OCTAVO_KERNEL(isa, symbol, depthwise, mr, nr) {Isa::isa, #symbol, symbol, depthwise, mr, nr},
#include "kernels/sgemm/kernels.inc"
#undef OCTAVO_KERNEL
};
constexpr size_t kCount = sizeof(kKernels) / sizeof(kKernels[0]);
}  // namespace

const SgemmKernel* sgemm_kernels(size_t* count) {
  *count = kCount;
  return kKernels;
}

const SgemmKernel& sgemm_kernel() {
  static const SgemmKernel* best = best_kernel(kKernels, [](const SgemmKernel&) { return true; });
  return *best;  // scalar, the last, is always active
}

}  // namespace octavo
