#include <iterator>
#include <string_view>

#include "kernels/dispatch.h"
#include "kernels/qgemm/pack.h"

namespace octavo {

namespace {

// By the name of a kernel: addresses are no constants for sanitizers.
constexpr QGemmFunction fours_of(std::string_view kernel) {
#define OCTAVO_FOURS(symbol, fours) \
  if (kernel == #symbol) return fours;
#include "kernels/qgemm/fours.inc"
#undef OCTAVO_FOURS
  static_cast<void>(kernel);
  return nullptr;
}

constexpr QGemmKernel kKernels[] = {
#define OCTAVO_KERNEL(isa, symbol, a, w, packing, mr, nr, kr, narrow, features) \
  {Isa::isa, #symbol, symbol, QGemmType::a, QGemmType::w, &qgemm_##packing,     \
   mr,       nr,      kr,     narrow,       features,     fours_of(#symbol)},
#include "kernels/qgemm/kernels.inc"
#undef OCTAVO_KERNEL
};

#define OCTAVO_KERNEL(isa, symbol, a, w, packing, mr, nr, kr, narrow, features) \
  static_assert(mr <= int(kQGemmMaxRows) && nr <= int(kQGemmMaxColumns) && kr <= int(kQGemmOverRead), #symbol);
#include "kernels/qgemm/kernels.inc"
#undef OCTAVO_KERNEL

// f(kernel) for those of the best instruction set that has one for such weights.
template <class F>
void for_candidates(bool narrow, QGemmType weights, F f) {
  const auto takes = [&](const QGemmKernel& kernel) { return kernel.w == weights && (narrow || !kernel.narrow); };
  const QGemmKernel* first = best_kernel(kKernels, takes);
  for (const QGemmKernel* kernel = first; kernel && kernel != std::end(kKernels) && kernel->isa == first->isa; ++kernel)
    if (takes(*kernel)) f(*kernel);
}

int64_t padded(int64_t n, int nr) { return (n + nr - 1) / nr * nr; }

}  // namespace

const QGemmKernel* qgemm_kernels(size_t* count) {
  *count = sizeof(kKernels) / sizeof(kKernels[0]);
  return kKernels;
}

const QGemmKernel& choose_qgemm(int64_t n, bool narrow, QGemmType weights) {
  const QGemmKernel* best = nullptr;
  for_candidates(narrow, weights, [&](const QGemmKernel& kernel) {
    if (best == nullptr || padded(n, kernel.nr) < padded(n, best->nr)) best = &kernel;
  });
  // scalar is always active, and is the last.
  return best ? *best : *(std::end(kKernels) - 1);
}

const QGemmKernel* sole_qgemm(bool narrow, QGemmType weights) {
  const QGemmKernel* first = nullptr;
  bool sole = true;
  // Of kernels of as many columns the first is taken.
  for_candidates(narrow, weights, [&](const QGemmKernel& kernel) {
    if (first == nullptr) first = &kernel;
    sole = sole && kernel.nr == first->nr;
  });
  return sole ? first : nullptr;
}

}  // namespace octavo
