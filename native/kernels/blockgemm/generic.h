// The arithmetic of blockgemm.h over the vectors of simd/; scalar.cc compiles it as the specification.
#pragma once

#include "kernels/blockgemm/quantize.h"
#include "simd/fused.h"
#include "simd/unroll.h"

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

// What is taken from the stored levels; nothing where the zero points are floats.
inline I32 block_zero(const BlockLayout& l, const uint8_t* panel, size_t block, size_t v) {
  if (l.zeros == BlockZeros::kFloats) return splat(0);
  if (l.zeros == BlockZeros::kOne) return splat(l.zero);
  return load_u8(panel + l.zeros_at + block * kBlockColumns + v * kLanes);
}

inline F32 float_zero(const BlockLayout& l, const uint8_t* panel, size_t block, size_t v) {
  return load(reinterpret_cast<const float*>(panel + l.zeros_at) + block * kBlockColumns + v * kLanes);
}

// f(k, levels) for the k of a unit, whose words are those of kLanes columns.
template <int kBits, class F>
__attribute__((always_inline)) inline void for_levels(I32 words, F&& f) {
  unroll<8 / kBits>([&](auto step) {
    unroll<4>([&](auto i) {
      constexpr int shift = i() * 8 + step() * kBits;
      // NEON has no shift by 0.
      if constexpr (shift == 0) f(step() * 4 + i(), words & splat((1 << kBits) - 1));
      else f(step() * 4 + i(), shift_right<shift>(words) & splat((1 << kBits) - 1));
    });
  });
}

inline void store_panel(const BlockGemm& g, size_t panel, size_t row, const F32 (&y)[kVectors]) {
  const size_t first = panel * kBlockColumns;
  for (size_t v = 0; v < kVectors && first + v * kLanes < g.columns; ++v) {
    const size_t j = first + v * kLanes, left = g.columns - j;
    const F32 sum = g.bias != nullptr ? y[v] + load(g.bias + j) : y[v];
    float* c = g.c + row * g.c_stride + j;
    if (left >= static_cast<size_t>(kLanes)) store(c, sum);
    else store_first(c, sum, static_cast<int64_t>(left));
  }
}

template <int kBits>
void integer_panel(const BlockGemm& g, size_t p, size_t row) {
  const BlockLayout& l = *g.layout;
  const uint8_t *panel = g.packed + p * l.panel_bytes, *from = panel;
  const int8_t* q = g.quantized.q + row * l.depth;
  const float* scales = g.quantized.scales + row * l.parts;
  const int32_t* sums = g.quantized.sums + row * l.parts;
  constexpr size_t kUnitDepth = 32 / kBits;
  F32 y[kVectors];
  for (F32& sum : y) sum = splat(0.0f);
  for_parts(l, [&](size_t block, size_t part, size_t at, size_t length) {
    I32 s[kVectors];
    for (size_t v = 0; v < kVectors; ++v) s[v] = block_zero(l, panel, block, v) * splat(-sums[part]);
    const size_t units = padded_depth(length) / kUnitDepth;
    for (size_t u = 0; u < units; ++u, from += kBlockUnit)
      for (size_t v = 0; v < kVectors; ++v) {
        const I32 words = load_i32(reinterpret_cast<const int32_t*>(from) + v * kLanes);
        for_levels<kBits>(words, [&](int k, I32 level) {
          s[v] = s[v] + level * splat(static_cast<int32_t>(q[at + u * kUnitDepth + static_cast<size_t>(k)]));
        });
      }
    for (size_t v = 0; v < kVectors; ++v) {
      F32 sum = to_float(s[v]);
      if (l.zeros == BlockZeros::kFloats)
        sum = fused(splat(0.0f) - float_zero(l, panel, block, v), splat(static_cast<float>(sums[part])), sum);
      y[v] = fused(sum * block_scale(l, panel, block, v), splat(scales[part]), y[v]);
    }
  });
  store_panel(g, p, row, y);
}

template <int kBits>
void integer_rows(const BlockGemm& g) {
  for (size_t p = 0; p < g.panels; ++p)
    for (size_t row = 0; row < g.rows; ++row) integer_panel<kBits>(g, p, row);
}

void integer_panels(const BlockGemm& g) {
  const int bits = g.layout->bits;
  (bits == 4 ? integer_rows<4> : bits == 2 ? integer_rows<2> : integer_rows<8>)(g);
}

// The numbers that levels stand for before the scale.
template <int kBits>
inline F32 from_table(const float* table, I32 level) {
  int32_t lanes[kLanes];
  float values[kLanes];
  store(lanes, level);
  for (int i = 0; i < kLanes; ++i) values[i] = table[lanes[i] & ((1 << kBits) - 1)];
  return load(values);
}

// t += x * (level - zero) for the k of a unit that lie before `limit`.
template <int kBits, size_t kRows>
inline void real_unit(const BlockGemm& g, I32 words, F32 zero, const float* x, size_t limit, F32 (&t)[kRows]) {
  for_levels<kBits>(words, [&](int k, I32 level) {
    if (static_cast<size_t>(k) >= limit) return;
    const F32 w = g.table != nullptr ? from_table<kBits>(g.table, level) : to_float(level) - zero;
    for (size_t i = 0; i < kRows; ++i) t[i] = fused(splat(x[i * g.x_stride + static_cast<size_t>(k)]), w, t[i]);
  });
}

template <int kBits, size_t kRows>
void real_rows(const BlockGemm& g, size_t p, size_t row) {
  const BlockLayout& l = *g.layout;
  const uint8_t *panel = g.packed + p * l.panel_bytes, *from = panel;
  constexpr size_t kUnitDepth = 32 / kBits;
  F32 y[kRows][kVectors];
  for (auto& sums : y)
    for (F32& sum : sums) sum = splat(0.0f);
  for (size_t block = 0; block < l.blocks; ++block) {
    const size_t first = block * l.block, end = first + l.block < l.k ? first + l.block : l.k;
    const size_t depth = padded_depth(end - first);
    const size_t left = (end < g.x_depth ? end : g.x_depth) - (first < g.x_depth ? first : g.x_depth);
    const float* x = g.x + row * g.x_stride + first;
    for (size_t v = 0; v < kVectors; ++v) {
      const F32 zero =
          l.zeros == BlockZeros::kFloats ? float_zero(l, panel, block, v) : to_float(block_zero(l, panel, block, v));
      F32 t[kRows];
      for (F32& sum : t) sum = splat(0.0f);
      for (size_t k = 0; k < left; k += kUnitDepth) {
        const uint8_t* unit = from + k / kUnitDepth * kBlockUnit;
        const I32 words = load_i32(reinterpret_cast<const int32_t*>(unit) + v * kLanes);
        if (left - k >= kUnitDepth) real_unit<kBits>(g, words, zero, x + k, kUnitDepth, t);
        else real_unit<kBits>(g, words, zero, x + k, left - k, t);
      }
      const F32 scale = block_scale(l, panel, block, v);
      for (size_t i = 0; i < kRows; ++i) y[i][v] = fused(t[i], scale, y[i][v]);
    }
    from += depth / kUnitDepth * kBlockUnit;
  }
  for (size_t i = 0; i < kRows; ++i) store_panel(g, p, row + i, y[i]);
}

template <int kBits>
void real_panel(const BlockGemm& g) {
  constexpr size_t kRows = kVectors > 4 ? 1 : 4;
  for (size_t p = 0; p < g.panels; ++p) {
    size_t row = 0;
    for (; row + kRows <= g.rows; row += kRows) real_rows<kBits, kRows>(g, p, row);
    for (; row < g.rows; ++row) real_rows<kBits, 1>(g, p, row);
  }
}

void real_panels(const BlockGemm& g) {
  const int bits = g.layout->bits;
  (bits == 4 ? real_panel<4> : bits == 2 ? real_panel<2> : real_panel<8>)(g);
}

}  // namespace
}  // namespace octavo
