// The panel of hybrid.h over the vectors of simd/; every <isa>.cc compiles it for itself.
#pragma once

#include "kernels/hybrid/hybrid.h"
#include "simd/vec.h"

namespace octavo {
namespace {

constexpr size_t kVectors = kHybridColumns / kLanes;
// Rows that share what is unpacked: as many as have room for their sums in the registers.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr size_t kRegisters = 32;
#else
constexpr size_t kRegisters = 16;
#endif
constexpr size_t kHybridRows = kVectors * 8 <= kRegisters / 2   ? 8
                               : kVectors * 4 <= kRegisters / 2 ? 4
                               : kVectors * 2 <= kRegisters / 2 ? 2
                                                                : 1;

template <size_t kRows>
void panel_rows(const HybridPanel& p, size_t row) {
  const float* a = p.a + row * p.a_stride;
  F32 sums[kRows][kVectors];
  for (size_t i = 0; i < kRows; ++i)
    for (size_t v = 0; v < kVectors; ++v) sums[i][v] = splat(0.0f);
  const uint8_t* b = reinterpret_cast<const uint8_t*>(p.b);
  for (size_t k = 0; k < p.depth; ++k, b += kHybridColumns) {
    F32 x[kRows];
    for (size_t i = 0; i < kRows; ++i) x[i] = splat(a[i * p.a_stride + k]);
    for (size_t v = 0; v < kVectors; ++v) {
      const F32 w = to_float(load_i8(b + v * kLanes));
      for (size_t i = 0; i < kRows; ++i) sums[i][v] = sums[i][v] + x[i] * w;
    }
  }
  for (size_t i = 0; i < kRows; ++i)
    for (size_t v = 0; v < kVectors && v * kLanes < p.columns; ++v) {
      const size_t j = v * kLanes, left = p.columns - j;
      const F32 y = sums[i][v] * load(p.scale + j) + load(p.bias + j);
      float* c = p.c + (row + i) * p.c_stride + j;
      if (left >= kLanes) store(c, y);
      else store_first(c, y, static_cast<int64_t>(left));
    }
}

// From `row`, by so many rows at a time and what is left by fewer.
template <size_t kRows>
void panel_from(const HybridPanel& p, size_t row) {
  for (; row + kRows <= p.rows; row += kRows) panel_rows<kRows>(p, row);
  if constexpr (kRows > 1)
    if (row < p.rows) panel_from<kRows / 2>(p, row);
}

void panel(const HybridPanel& p) { panel_from<kHybridRows>(p, 0); }

}  // namespace
}  // namespace octavo
