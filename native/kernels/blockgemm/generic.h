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
  const float* scales = g.quantized.scales + row * l.parts;
  const int32_t* sums = g.quantized.sums + row * l.parts;
  constexpr size_t kUnitDepth = 32 / kBits;
  F32 y[kVectors];
  for (F32& sum : y) sum = splat(0.0f);
  for_parts(l, [&](size_t block, size_t part, size_t at, size_t length) {
    I32 s[kVectors];
    for (size_t v = 0; v < kVectors; ++v) s[v] = block_zero<kBits>(l, panel, block, v) * splat(-sums[part]);
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

void integer_panels(const BlockGemm& g) {
  with_bits(g.layout->bits, [&](auto bits) {
    for (size_t p = 0; p < g.panels; ++p)
      for (size_t row = 0; row < g.rows; ++row) integer_panel<bits()>(g, p, row);
  });
}

}  // namespace
}  // namespace octavo
