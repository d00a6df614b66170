// The tile and the strip over a vector type V: V::Reg, V::kLanes, load, store, load_part and store_part of the first n
// lanes (1..kLanes), splat, fma(a, b, c) = a * b + c, add, max_of(lo, x) and min_of(hi, x), which give x where it is
// NaN; V::kAhead, floats of b that are prefetched with V::prefetch before they are used, 0: none.
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

// load_part and store_part of vectors without masks.
template <class V>
inline typename V::Reg load_lanes(const float* p, size_t n) {
  float lanes[V::kLanes] = {};
  for (size_t i = 0; i < n; ++i) lanes[i] = p[i];
  return V::load(lanes);
}
template <class V>
inline void store_lanes(float* p, typename V::Reg x, size_t n) {
  float lanes[V::kLanes];
  V::store(lanes, x);
  for (size_t i = 0; i < n; ++i) p[i] = lanes[i];
}

template <class V, int kRows, int kVectors>
void sgemm_rows(const SgemmTile& t) {
  using Reg = typename V::Reg;
  const size_t last = t.columns - (kVectors - 1) * V::kLanes;
  const bool whole = last == static_cast<size_t>(V::kLanes);
  const auto load = [&](const float* p, int v) {
    return whole || v < kVectors - 1 ? V::load(p + v * V::kLanes) : V::load_part(p + v * V::kLanes, last);
  };
  Reg acc[kRows][kVectors];
  OCTAVO_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    const Reg first = t.bias != nullptr ? load(t.bias, v) : V::splat(0.0f);
    OCTAVO_UNROLL
    for (int i = 0; i < kRows; ++i) acc[i][v] = first;
  }
  if constexpr (V::kAhead > 0) {  // what the epilogue reads and overwrites arrives while the products run
    OCTAVO_UNROLL
    for (int i = 0; i < kRows; ++i) {
      OCTAVO_UNROLL
      for (int v = 0; v < kVectors; ++v) V::prefetch(t.c[i] + t.column + v * V::kLanes);
    }
    if (t.residual != nullptr) {
      OCTAVO_UNROLL
      for (int i = 0; i < kRows; ++i) {
        OCTAVO_UNROLL
        for (int v = 0; v < kVectors; ++v) V::prefetch(t.residual[i] + t.column + v * V::kLanes);
      }
    }
  }
  constexpr bool kAhead =
      V::kAhead > 0 && kRows > 4;  // fewer rows wait for memory in any case, and the hardware keeps ahead of them
  const float* b = t.b;
  for (size_t tap = 0; tap < t.taps; ++tap) {
    const float* a[kRows];
    OCTAVO_UNROLL
    for (int i = 0; i < kRows; ++i) a[i] = t.a[tap * kRows + i];
    size_t k = 0;
    // With more vectors the products take longer than the loads of row pointers that registers have no room for.
    if constexpr (kVectors == 1) {
      for (; k + 4 <= t.depth; k += 4) {
        Reg bv[4];
        OCTAVO_UNROLL
        for (int u = 0; u < 4; ++u, b += t.b_stride) {
          bv[u] = V::load(b);
          if constexpr (kAhead) V::prefetch(b + V::kAhead);
        }
        OCTAVO_UNROLL
        for (int i = 0; i < kRows; ++i) {
          const float* p = a[i] + k;
          OCTAVO_UNROLL
          for (int u = 0; u < 4; ++u) acc[i][0] = V::fma(V::splat(p[u]), bv[u], acc[i][0]);
        }
      }
    }
    for (; k < t.depth; ++k) {
      Reg bv[kVectors];
      OCTAVO_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        bv[v] = V::load(b + v * V::kLanes);
        if constexpr (kAhead) V::prefetch(b + v * V::kLanes + V::kAhead);
      }
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
    float* c = t.c[i] + t.column;
    OCTAVO_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      Reg y = acc[i][v];
      if (t.residual != nullptr) y = V::add(y, load(t.residual[i] + t.column, v));
      y = V::min_of(hi, V::max_of(lo, y));
      if (whole || v < kVectors - 1) V::store(c + v * V::kLanes, y);
      else V::store_part(c + v * V::kLanes, y, last);
    }
  }
}

// The tile of exactly t.rows rows, 1..kRows, and of as many vectors as t.columns need, 1..kVectors.
template <class V, int kRows, int kVectors>
inline void sgemm_tile(const SgemmTile& t) {
  if constexpr (kVectors > 1) {
    if (t.columns <= static_cast<size_t>((kVectors - 1) * V::kLanes)) return sgemm_tile<V, kRows, kVectors - 1>(t);
  }
  if constexpr (kRows > 1) {
    if (t.rows < static_cast<size_t>(kRows)) return sgemm_tile<V, kRows - 1, kVectors>(t);
  }
  sgemm_rows<V, kRows, kVectors>(t);
}

// One load of a weight serves kPixels products; their inputs stay in the first cache from one row of the kernel to the
// next.
template <class V, int kPixels>
inline void depthwise_pixels(const DepthwiseStrip& s, size_t pixel) {
  using Reg = typename V::Reg;
  const Reg lo = V::splat(s.lo), hi = V::splat(s.hi);
  for (size_t j = 0; j < s.channels; j += V::kLanes) {
    Reg acc[kPixels];
    const Reg first = s.bias != nullptr ? V::load(s.bias + j) : V::splat(0.0f);
    OCTAVO_UNROLL
    for (int p = 0; p < kPixels; ++p) acc[p] = first;
    const size_t from = pixel * s.x_step + j;
    for (size_t tap = 0; tap < s.taps; ++tap) {
      const Reg w = V::load(s.w[tap] + j);
      const float* x = s.x[tap] + from;
      OCTAVO_UNROLL
      for (int p = 0; p < kPixels; ++p) acc[p] = V::fma(V::load(x + static_cast<size_t>(p) * s.x_step), w, acc[p]);
    }
    const size_t to = pixel * s.y_step + j, left = s.channels - j;
    OCTAVO_UNROLL
    for (int p = 0; p < kPixels; ++p) {
      const size_t at = to + static_cast<size_t>(p) * s.y_step;
      if (s.residual != nullptr) acc[p] = V::add(acc[p], V::load(s.residual + at));
      acc[p] = V::min_of(hi, V::max_of(lo, acc[p]));
      if (left >= static_cast<size_t>(V::kLanes)) V::store(s.y + at, acc[p]);
      else V::store_part(s.y + at, acc[p], left);
    }
  }
}

// The last pixels of a strip, fewer than kPixels + 1.
template <class V, int kPixels>
inline void depthwise_rest(const DepthwiseStrip& s, size_t pixel) {
  if constexpr (kPixels > 0) {
    if (s.pixels - pixel < static_cast<size_t>(kPixels)) return depthwise_rest<V, kPixels - 1>(s, pixel);
    depthwise_pixels<V, kPixels>(s, pixel);
  }
}

template <class V, int kPixels>
void depthwise_strip(const DepthwiseStrip& s) {
  size_t pixel = 0;
  for (; pixel + kPixels <= s.pixels; pixel += kPixels) depthwise_pixels<V, kPixels>(s, pixel);
  depthwise_rest<V, kPixels - 1>(s, pixel);
}

}  // namespace
}  // namespace octavo

#undef OCTAVO_UNROLL
