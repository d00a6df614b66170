// What the tiles of this family read of a panel beside its levels, and how they store a row of it.
#pragma once

#include <type_traits>

#include "kernels/blockgemm/blockgemm.h"
#include "simd/fused.h"

namespace octavo {
namespace {

constexpr size_t kVectors = kBlockColumns / kLanes;

// The scales of a block of a panel, from column v * kLanes on.
inline F32 block_scale(const BlockLayout& l, const uint8_t* panel, size_t block, size_t v) {
  const uint8_t* scales = panel + l.scales_at;
  const size_t at = block * kBlockColumns + v * kLanes;
  return l.half_scales ? load_half(reinterpret_cast<const uint16_t*>(scales) + at)
                       : load(reinterpret_cast<const float*>(scales) + at);
}

// Vector v of 16 bytes, eight of them in each word.
inline I32 widen_bytes(uint64_t low, uint64_t high, size_t v) {
#if defined(__AVX512F__) && !defined(OCTAVO_SIMD_SCALAR)
  (void)v;
  return {_mm512_cvtepu8_epi32(_mm_set_epi64x(static_cast<int64_t>(high), static_cast<int64_t>(low)))};
#elif defined(__AVX2__) && !defined(OCTAVO_SIMD_SCALAR)
  return {_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<int64_t>(v == 0 ? low : high)))};
#elif (defined(__ARM_NEON) || defined(__ARM_NEON__)) && !defined(OCTAVO_SIMD_SCALAR)
  const uint16x8_t wide = vmovl_u8(vcreate_u8(v < 2 ? low : high));
  return {vreinterpretq_s32_u32(vmovl_u16(v % 2 == 0 ? vget_low_u16(wide) : vget_high_u16(wide)))};
#else
  return {static_cast<int32_t>((v < 8 ? low >> (8 * v) : high >> (8 * (v - 8))) & 255)};
#endif
}

// What is taken from the stored levels; nothing where the zero points are floats.
template <int kBits>
inline I32 block_zero(const BlockLayout& l, const uint8_t* panel, size_t block, size_t v) {
  if (l.zeros == BlockZeros::kFloats) return splat(0);
  if (l.zeros == BlockZeros::kOne) return splat(l.zero);
  const uint8_t* zeros = panel + l.zeros_at + block * packed_zeros(kBits);
  if constexpr (kBits == 8) {
    return load_u8(zeros + v * kLanes);
  } else if constexpr (kBits == 4) {
    uint64_t both;
    std::memcpy(&both, zeros, sizeof(both));
    constexpr uint64_t kMask = 0x0F0F0F0F0F0F0F0F;
    return widen_bytes(both & kMask, both >> 4 & kMask, v);
  } else {
    uint32_t four;
    std::memcpy(&four, zeros, sizeof(four));
    const auto levels = [&](int step) { return static_cast<uint64_t>(four >> (2 * step) & 0x03030303u); };
    return widen_bytes(levels(0) | levels(1) << 32, levels(2) | levels(3) << 32, v);
  }
}

inline F32 float_zero(const BlockLayout& l, const uint8_t* panel, size_t block, size_t v) {
  return load(reinterpret_cast<const float*>(panel + l.zeros_at) + block * kBlockColumns + v * kLanes);
}

// Row `row` of panel `panel`, of vectors y[0 .. kVectors).
inline void store_panel(const BlockGemm& g, size_t panel, size_t row, const F32* y) {
  const size_t first = panel * kBlockColumns;
  for (size_t v = 0; v < kVectors && first + v * kLanes < g.columns; ++v) {
    const size_t j = first + v * kLanes, left = g.columns - j;
    const F32 sum = g.bias != nullptr ? y[v] + load(g.bias + j) : y[v];
    float* c = g.c + row * g.c_stride + j;
    if (left >= static_cast<size_t>(kLanes)) store(c, sum);
    else store_first(c, sum, static_cast<int64_t>(left));
  }
}

// visit(bits) with the width of the levels as a constant.
template <class Visit>
__attribute__((always_inline)) inline void with_bits(int bits, Visit&& visit) {
  if (bits == 4) visit(std::integral_constant<int, 4>{});
  else if (bits == 2) visit(std::integral_constant<int, 2>{});
  else visit(std::integral_constant<int, 8>{});
}

}  // namespace
}  // namespace octavo
