// The arithmetic of blockgemm.h as it is stated there: scalar.cc compiles it as the specification.
#pragma once

#include "kernels/blockgemm/quantize.h"
#include "kernels/blockgemm/values.h"
#include "simd/unroll.h"

namespace octavo {
namespace {

// f(k, levels) for the k of a unit, whose words are those of kLanes columns.
template <int kBits, class F>
__attribute__((always_inline)) inline void for_levels(I32 words, F&& f) {
  unroll<8 / kBits>([&](auto step) {
    unroll<4>(
        [&](auto i) { f(step() * 4 + i(), shift_right<i() * 8 + step() * kBits>(words) & splat((1 << kBits) - 1)); });
  });
}

template <int kBits>
void integer_panel(const BlockGemm& g, size_t p, size_t row) {
  const BlockLayout& l = *g.layout;
  const uint8_t *panel = g.packed + p * l.panel_bytes, *from = panel;
  const int8_t* q = g.quantized.q + row * l.depth;
  const float* scales = g.quantized.scales + row;
  const int32_t* sums = g.quantized.sums + row;
  const size_t stride = g.quantized.stride;
  constexpr size_t kUnitDepth = 32 / kBits;
  F32 y[kVectors];
  for (F32& sum : y) sum = splat(0.0f);
  for_parts(l, [&](size_t block, size_t part, size_t at, size_t length) {
    I32 s[kVectors];
    for (size_t v = 0; v < kVectors; ++v) s[v] = block_zero<kBits>(l, panel, block, v) * splat(-sums[part * stride]);
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
        sum = fused(splat(0.0f) - float_zero(l, panel, block, v), splat(static_cast<float>(sums[part * stride])), sum);
      y[v] = fused(sum * block_scale(l, panel, block, v), splat(scales[part * stride]), y[v]);
    }
  });
  store_panel(g, p, row, y);
}

template <int kBits>
void real_panel(const BlockGemm& g, size_t p, size_t row) {
  const BlockLayout& l = *g.layout;
  const uint8_t *panel = g.packed + p * l.panel_bytes, *from = panel;
  const float* x = g.x + row * g.x_stride;
  constexpr size_t kUnitDepth = 32 / kBits;
  F32 y[kVectors];
  for (F32& sum : y) sum = splat(0.0f);
  for (size_t block = 0; block < l.blocks; ++block) {
    const size_t first = block * l.block, end = first + l.block < l.k ? first + l.block : l.k;
    for (size_t v = 0; v < kVectors; ++v) {
      const F32 zero = l.zeros == BlockZeros::kFloats ? float_zero(l, panel, block, v)
                                                      : to_float(block_zero<kBits>(l, panel, block, v));
      F32 t = splat(0.0f);
      for (size_t k = 0; first + k < end && first + k < g.x_depth; k += kUnitDepth) {
        const uint8_t* unit = from + k / kUnitDepth * kBlockUnit;
        for_levels<kBits>(load_i32(reinterpret_cast<const int32_t*>(unit) + v * kLanes), [&](int i, I32 level) {
          const size_t at = first + k + static_cast<size_t>(i);
          if (at >= end || at >= g.x_depth) return;
          t = fused(splat(x[at]), g.table != nullptr ? splat(g.table[level.v]) : to_float(level) - zero, t);
        });
      }
      y[v] = fused(t, block_scale(l, panel, block, v), y[v]);
    }
    from += padded_depth(end - first) / kUnitDepth * kBlockUnit;
  }
  store_panel(g, p, row, y);
}

void integer_panels(const BlockGemm& g) {
  with_bits(g.layout->bits, [&](auto bits) {
    for (size_t p = 0; p < g.panels; ++p)
      for (size_t row = 0; row < g.rows; ++row) integer_panel<bits()>(g, p, row);
  });
}

void real_panels(const BlockGemm& g) {
  with_bits(g.layout->bits, [&](auto bits) {
    for (size_t p = 0; p < g.panels; ++p)
      for (size_t row = 0; row < g.rows; ++row) real_panel<bits()>(g, p, row);
  });
}

}  // namespace
}  // namespace octavo
