// Sixteen bytes at a time, ARMv8 and ARMv7.
#pragma once

#include <arm_neon.h>

#include "kernels/qunpack/qunpack.h"

namespace octavo {
namespace {

// Of levels of kBits; a vector of stored ones is 8 / kBits vectors of the panel, a part of a block apart.
template <int kBits>
inline void unpack(const uint8_t* stored, const uint8_t* zeros, size_t blocks, int8_t* out) {
  constexpr size_t kBytes = qunpack_bytes(kBits);
  const uint8x16_t mask = vdupq_n_u8((1 << kBits) - 1);
  for (; blocks > 0; --blocks, stored += kBytes, out += kQUnpackBlock)
    for (size_t i = 0; i < kBytes; i += 16) {
      uint8x16_t v = vld1q_u8(stored + i);
      for (size_t at = i; at < kQUnpackBlock; at += kBytes) {
        uint8x16_t level = vandq_u8(v, mask);
        if (kBits == 1) level = vaddq_u8(level, level);
        vst1q_s8(out + at, vreinterpretq_s8_u8(vsubq_u8(level, vld1q_u8(zeros + at))));
        v = vshrq_n_u8(v, kBits);
      }
    }
}

}  // namespace
}  // namespace octavo
