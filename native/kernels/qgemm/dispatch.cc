#include <iterator>

#include "kernels/dispatch.h"
#include "kernels/qgemm/qgemm.h"

namespace octavo {

namespace {

constexpr QGemmKernel kKernels[] = {
#define OCTAVO_KERNEL(isa, symbol, mr, nr, kr, a_signed, narrow, features) \
  {Isa::isa, #symbol, symbol, mr, nr, kr, a_signed, narrow, features},
#include "kernels/qgemm/kernels.inc"
#undef OCTAVO_KERNEL
};

#define OCTAVO_KERNEL(isa, symbol, mr, nr, kr, a_signed, narrow, features) \
  static_assert(mr <= int(kQGemmMaxRows) && nr <= int(kQGemmMaxColumns) && kr <= int(kQGemmOverRead), #symbol);
#include "kernels/qgemm/kernels.inc"
#undef OCTAVO_KERNEL

int64_t padded(int64_t n, int nr) { return (n + nr - 1) / nr * nr; }

}  // namespace

const QGemmKernel* qgemm_kernels(size_t* count) {
  *count = sizeof(kKernels) / sizeof(kKernels[0]);
  return kKernels;
}

const QGemmKernel& choose_qgemm(int64_t n, bool narrow) {
  const auto takes = [&](const QGemmKernel& kernel) { return narrow || !kernel.narrow; };
  const QGemmKernel* best = best_kernel(kKernels, takes);
  // scalar is always active, and is the last.
  if (best == nullptr) return *(std::end(kKernels) - 1);
  const Isa isa = best->isa;
  for (const QGemmKernel* other = best + 1; other != std::end(kKernels) && other->isa == isa; ++other)
    if (takes(*other) && padded(n, other->nr) < padded(n, best->nr)) best = other;
  return *best;
}

}  // namespace octavo
