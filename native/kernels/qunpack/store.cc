#include <cstring>

#include "kernels/qunpack/qunpack.h"

namespace octavo {
namespace {

template <int kBits>
void store(const int8_t* panel, const uint8_t* zeros, size_t blocks, uint8_t* stored) {
  constexpr size_t kBytes = qunpack_bytes(kBits);
  for (size_t b = 0; b < blocks; ++b, panel += kQUnpackBlock, stored += kBytes) {
    uint8_t packed[kBytes] = {};
    for (size_t part = 0; part < kQUnpackBlock; part += kBytes)
      for (size_t i = 0; i < kBytes; ++i) {
        const uint8_t level =
            static_cast<uint8_t>(static_cast<uint8_t>(panel[part + i] + zeros[part + i]) >> (kBits == 1));
        packed[i] = static_cast<uint8_t>(packed[i] | level << (part / kBytes * kBits));
      }
    std::memcpy(stored, packed, kBytes);
  }
}

}  // namespace

void qunpack_store(const int8_t* panel, const uint8_t* zeros, size_t blocks, int bits, uint8_t* stored) {
  (bits == 4 ? store<4> : bits == 2 ? store<2> : store<1>)(panel, zeros, blocks, stored);
}

}  // namespace octavo
