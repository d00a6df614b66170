// Bits of bytes in vectors of NEON.
#pragma once

#include <arm_neon.h>

#include "kernels/bitgemm/generic.h"

namespace octavo {
namespace {

struct Neon {
  using Reg = uint8x16_t;
  static constexpr size_t kLanes = 4;

  static Reg zero() { return vdupq_n_u8(0); }
  static Reg load(const uint32_t* from) { return vreinterpretq_u8_u32(vld1q_u32(from)); }
  static Reg broadcast(uint32_t word) { return vreinterpretq_u8_u32(vdupq_n_u32(word)); }
  static Reg differ(Reg a, Reg b) { return veorq_u8(a, b); }
  static Reg both(Reg a, Reg b) { return vandq_u8(a, b); }
  static Reg add8(Reg a, Reg b) { return vaddq_u8(a, b); }
  static Reg count(Reg a) { return vcntq_u8(a); }
  static void widen(Reg bytes, int32_t* to) {
    const uint32x4_t sums = vpaddlq_u16(vpaddlq_u8(bytes));
    vst1q_s32(to, vaddq_s32(vld1q_s32(to), vreinterpretq_s32_u32(sums)));
  }
};

}  // namespace
}  // namespace octavo
