// The specification: what every other file of this folder has to equal.
#include "kernels/qunpack/qunpack.h"

namespace octavo {
namespace {

template <int kBits>
void unpack(const uint8_t* stored, const uint8_t* zeros, size_t blocks, int8_t* out) {
  constexpr size_t kBytes = qunpack_bytes(kBits);
  for (size_t b = 0; b < blocks; ++b, stored += kBytes, out += kQUnpackBlock)
    for (size_t i = 0; i < kQUnpackBlock; ++i) {
      const int level = stored[i % kBytes] >> (i / kBytes * kBits) & ((1 << kBits) - 1);
      out[i] = static_cast<int8_t>((kBits == 1 ? 2 * level : level) - zeros[i]);
    }
}

}  // namespace

extern const QUnpackKernels qunpack_scalar;
const QUnpackKernels qunpack_scalar = {Isa::scalar, unpack<4>, unpack<2>, unpack<1>};

}  // namespace octavo
