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
  static void take_twice(Reg bytes, int32_t* from) {
    const int32x4_t sums = vreinterpretq_s32_u32(vpaddlq_u16(vpaddlq_u8(bytes)));
    vst1q_s32(from, vsubq_s32(vld1q_s32(from), vshlq_n_s32(sums, 1)));
  }

  // A bit for each byte of two vectors that is all ones: eight distinct powers of two add up to a byte.
  static uint32_t gather(Reg a, Reg b) {
    const Reg powers = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201u));
    const uint64x2_t low = vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(vandq_u8(a, powers)))),
                     high = vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(vandq_u8(b, powers))));
    return static_cast<uint32_t>(vgetq_lane_u64(low, 0) | vgetq_lane_u64(low, 1) << 8 | vgetq_lane_u64(high, 0) << 16 |
                                 vgetq_lane_u64(high, 1) << 24);
  }
  static SignWord signs(const uint8_t* x, uint8_t flip, uint8_t zero) {
    const Reg z = vdupq_n_u8(zero), by = vdupq_n_u8(flip);
    const Reg a = veorq_u8(vld1q_u8(x), by), b = veorq_u8(vld1q_u8(x + 16), by);
    return {gather(vcgtq_u8(a, z), vcgtq_u8(b, z)), ~gather(vceqq_u8(a, z), vceqq_u8(b, z))};
  }
};

}  // namespace
}  // namespace octavo
