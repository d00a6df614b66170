#include <cstring>

#include "cpu/isa.h"
#include "kernels/qgemm/qgemm.h"

namespace octavo {

namespace {

constexpr QGemmKernel kKernels[] = {
#define OCTAVO_KERNEL(isa, symbol, mr, nr, kr, a_signed, narrow, features) \
  {#isa, #symbol, symbol, mr, nr, kr, a_signed, narrow, features},
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
  const QGemmKernel* best = nullptr;
  for (const QGemmKernel& kernel : kKernels) {
    if (best && std::strcmp(best->isa, kernel.isa) != 0) break;
    if (kernel.narrow && !narrow) continue;
    if (!best && !isa_active(kernel.isa)) continue;
    if (!best || padded(n, kernel.nr) < padded(n, best->nr)) best = &kernel;
  }
  // scalar is always active, and is the last.
  return best ? *best : kKernels[sizeof(kKernels) / sizeof(kKernels[0]) - 1];
}

}  // namespace octavo
