// The tile and the pixel over a vector type V: V::Reg, V::kLanes, load, store, splat, fma(a, b, c) = a * b + c, add, max_of(lo, x) and
// min_of(hi, x), which give x where it is NaN.
#pragma once

#include "kernels/sgemm/sgemm.h"

// Accumulators stay in registers only if every loop over them is unrolled.
#if defined(__GNUC__)
#define OCTAVO_UNROLL _Pragma("GCC unroll 16")
#else
#define OCTAVO_UNROLL
#endif

namespace octavo {
namespace {

template <class V, int kRows, int kVectors>
void sgemm_rows(const SgemmTile& t) {
  using Reg = typename V::Reg;
  constexpr int kColumns = kVectors * V::kLanes;
  const bool whole = t.columns == static_cast<size_t>(kColumns);
  float edge[kColumns];
  Reg acc[kRows][kVectors];
  const float* bias = t.bias;
  if (bias != nullptr && !whole) {
    for (int j = 0; j < kColumns; ++j) edge[j] = static_cast<size_t>(j) < t.columns ? bias[j] : 0.0f;
    bias = edge;
  }
  OCTAVO_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    const Reg first = bias != nullptr ? V::load(bias + v * V::kLanes) : V::splat(0.0f);
    OCTAVO_UNROLL
    for (int i = 0; i < kRows; ++i) acc[i][v] = first;
  }
  const float* b = t.b;
  for (size_t tap = 0; tap < t.taps; ++tap) {
    const float* a[kRows];
    OCTAVO_UNROLL
    for (int i = 0; i < kRows; ++i) a[i] = t.a[tap * kRows + i];
    for (size_t k = 0; k < t.depth; ++k) {
      Reg bv[kVectors];
      OCTAVO_UNROLL
      for (int v = 0; v < kVectors; ++v) bv[v] = V::load(b + v * V::kLanes);
      b += t.b_stride;
      OCTAVO_UNROLL
      for (int i = 0; i < kRows; ++i) {
        const Reg av = V::splat(a[i][k]);
        OCTAVO_UNROLL
        for (int v = 0; v < kVectors; ++v) acc[i][v] = V::fma(av, bv[v], acc[i][v]);
      }
    }
  }
  const Reg lo = V::splat(t.lo), hi = V::splat(t.hi);
  OCTAVO_UNROLL
  for (int i = 0; i < kRows; ++i) {
    const float* residual = t.residual != nullptr ? t.residual[i] : nullptr;
    if (residual != nullptr && !whole) {
      for (size_t j = 0; j < t.columns; ++j) edge[j] = residual[j];
      for (size_t j = t.columns; j < static_cast<size_t>(kColumns); ++j) edge[j] = 0.0f;
      residual = edge;
    }
    float* c = whole ? t.c[i] : edge;
    OCTAVO_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      Reg y = acc[i][v];
      if (residual != nullptr) y = V::add(y, V::load(residual + v * V::kLanes));
      V::store(c + v * V::kLanes, V::min_of(hi, V::max_of(lo, y)));
    }
    if (!whole)
      for (size_t j = 0; j < t.columns; ++j) t.c[i][j] = edge[j];
  }
}

// The tile of exactly t.rows rows, 1..kRows.
template <class V, int kRows, int kVectors>
inline void sgemm_tile(const SgemmTile& t) {
  if constexpr (kRows > 1) {
    if (t.rows < static_cast<size_t>(kRows)) return sgemm_tile<V, kRows - 1, kVectors>(t);
  }
  sgemm_rows<V, kRows, kVectors>(t);
}

template <class V, int kVectors>
inline void depthwise_channels(const DepthwisePixel& p, size_t j) {
  using Reg = typename V::Reg;
  Reg acc[kVectors];
  OCTAVO_UNROLL
  for (int v = 0; v < kVectors; ++v) acc[v] = p.bias != nullptr ? V::load(p.bias + j + v * V::kLanes) : V::splat(0.0f);
  const float* w = p.w + j;
  for (size_t tap = 0; tap < p.taps; ++tap, w += p.channels)
    OCTAVO_UNROLL
    for (int v = 0; v < kVectors; ++v) acc[v] = V::fma(V::load(p.x[tap] + j + v * V::kLanes), V::load(w + v * V::kLanes), acc[v]);
  const Reg lo = V::splat(p.lo), hi = V::splat(p.hi);
  OCTAVO_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    if (p.residual != nullptr) acc[v] = V::add(acc[v], V::load(p.residual + j + v * V::kLanes));
    V::store(p.y + j + v * V::kLanes, V::min_of(hi, V::max_of(lo, acc[v])));
  }
}

template <class V>
void depthwise_pixel(const DepthwisePixel& p) {
  constexpr size_t kLanes = V::kLanes;
  size_t j = 0;
  for (; j + 4 * kLanes <= p.channels; j += 4 * kLanes) depthwise_channels<V, 4>(p, j);
  for (; j + kLanes <= p.channels; j += kLanes) depthwise_channels<V, 1>(p, j);
  for (; j < p.channels; ++j) {
    float acc = p.bias != nullptr ? p.bias[j] : 0.0f;
    for (size_t tap = 0; tap < p.taps; ++tap) acc += p.x[tap][j] * p.w[tap * p.channels + j];
    if (p.residual != nullptr) acc += p.residual[j];
    acc = acc < p.lo ? p.lo : acc;
    p.y[j] = acc > p.hi ? p.hi : acc;
  }
}

}  // namespace
}  // namespace octavo

#undef OCTAVO_UNROLL
