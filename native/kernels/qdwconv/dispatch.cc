#include "kernels/dispatch.h"
#include "kernels/qdwconv/qdwconv.h"

namespace octavo {
namespace {

constexpr QDwKernel kKernels[] = {
#define OCTAVO_KERNEL(isa, symbol, low, high, bytes, rows) \
  {Isa::isa, #symbol, low, high, bytes, rows, symbol##_pack, symbol##_s8, symbol##_u8},
#include "kernels/qdwconv/kernels.inc"
#undef OCTAVO_KERNEL
};
constexpr size_t kCount = sizeof(kKernels) / sizeof(kKernels[0]);

}  // namespace

const QDwKernel* qdwconv_kernels(size_t* count) {
  *count = kCount;
  return kKernels;
}

const QDwKernel& choose_qdwconv(int low, int high) {
  const QDwKernel* best =
      best_kernel(kKernels, [&](const QDwKernel& kernel) { return kernel.low <= low && high <= kernel.high; });
  return best ? *best : kKernels[kCount - 1];  // scalar
}

size_t qdwconv_rows(const QDwKernel& kernel, const QDwWindow& w) {
  return w.rolls() && w.stride == 1 ? kernel.rows : 1;
}

bool qdwconv_packed_bytes(const QDwKernel& kernel, const QDwWindow& w, size_t channels, size_t* bytes) {
  // Taps in groups of at most 4, of a column or of the whole window, for each row of outputs; and the sums of all
  // channels.
  size_t slots = 0;
  if (__builtin_add_overflow(w.height, 3, &slots) || __builtin_mul_overflow(slots, w.width, &slots) ||
      __builtin_add_overflow(slots, 4, &slots) ||
      __builtin_mul_overflow(slots, kernel.weight_bytes * kernel.rows, &slots) ||
      __builtin_add_overflow(slots, sizeof(int32_t), &slots))
    return false;
  return !__builtin_add_overflow(channels, kQDwChannels - 1, &channels) &&
         !__builtin_mul_overflow(channels / kQDwChannels * kQDwChannels, slots, bytes);
}

}  // namespace octavo
