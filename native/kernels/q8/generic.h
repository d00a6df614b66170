// The kernels of q8.h over the vectors of simd/; every <isa>.cc compiles them for itself.
#pragma once

#include "kernels/q8/interleave.h"
#include "kernels/q8/lookup.h"
#include "kernels/q8/q8.h"
#include "kernels/q8/sum.h"
#include "simd/vec.h"

namespace octavo {
namespace {

// clamp(rint(x), lo, hi) as integers: bounds that are integers commute with rounding, so the clamp comes first and
// the conversion is always defined. NaN passes through min and max as hi; callers that may see NaN deal with it.
inline I32 round_between(F32 x, F32 lo, F32 hi) { return to_int(rint(min(max(x, lo), hi))); }

template <class F>
inline void for_vectors(uint8_t* y, int64_t n, F f) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store_bytes(y + i, f(i));
  if (i < n) store_bytes_first(y + i, f(i), n - i);
}

template <bool kA, bool kB, bool kScalar>
inline void add_typed(const Q8Binary& p, const uint8_t* a, const uint8_t* b, uint8_t* y, int64_t n) {
  const int32_t odd = p.zy & 1, even = p.zy - odd;
  const F32 ra = splat(p.ra), rb = splat(p.rb), k = splat(static_cast<float>(odd));
  const F32 lo = splat(static_cast<float>(p.qmin - even)), hi = splat(static_cast<float>(p.qmax - even));
  const I32 za = splat(p.za), zb = splat(p.zb), z = splat(even);
  const F32 same = splat(p.rb * static_cast<float>((kB ? static_cast<int8_t>(b[0]) : b[0]) - p.zb));
  for_vectors(y, n, [&](int64_t i) {
    const F32 right = kScalar ? same : rb * to_float(load_bytes<kB>(b + i) - zb);
    return round_between((ra * to_float(load_bytes<kA>(a + i) - za) + right) + k, lo, hi) + z;
  });
}

template <bool kA, bool kB, bool kScalar>
inline void mul_typed(const Q8Binary& p, const uint8_t* a, const uint8_t* b, uint8_t* y, int64_t n) {
  const I32 za = splat(p.za), zb = splat(p.zb), zy = splat(p.zy);
  const F32 m = splat(p.m);
  const F32 lo = splat(static_cast<float>(p.qmin - p.zy)), hi = splat(static_cast<float>(p.qmax - p.zy));
  const I32 same = splat(static_cast<int32_t>(kB ? static_cast<int8_t>(b[0]) : b[0]));
  for_vectors(y, n, [&](int64_t i) {
    const I32 right = (kScalar ? same : load_bytes<kB>(b + i)) - zb;
    return round_between(to_float((load_bytes<kA>(a + i) - za) * right) * m, lo, hi) + zy;
  });
}

#define OCTAVO_BY_TYPES(function)                                                               \
  void function(const Q8Binary& p, const uint8_t* a, const uint8_t* b, uint8_t* y, int64_t n) { \
    if (n <= 0) return;                                                                         \
    switch ((p.a_signed ? 4 : 0) | (p.b_signed ? 2 : 0) | (p.b_scalar ? 1 : 0)) {               \
      case 0: return function##_typed<false, false, false>(p, a, b, y, n);                      \
      case 1: return function##_typed<false, false, true>(p, a, b, y, n);                       \
      case 2: return function##_typed<false, true, false>(p, a, b, y, n);                       \
      case 3: return function##_typed<false, true, true>(p, a, b, y, n);                        \
      case 4: return function##_typed<true, false, false>(p, a, b, y, n);                       \
      case 5: return function##_typed<true, false, true>(p, a, b, y, n);                        \
      case 6: return function##_typed<true, true, false>(p, a, b, y, n);                        \
      default: return function##_typed<true, true, true>(p, a, b, y, n);                        \
    }                                                                                           \
  }
OCTAVO_BY_TYPES(add)
OCTAVO_BY_TYPES(mul)
#undef OCTAVO_BY_TYPES

void quantize(const float* x, uint8_t* y, int64_t n, float scale, int32_t zp, int32_t qmin, int32_t qmax) {
  const F32 s = splat(scale);
  const F32 lo = splat(static_cast<float>(qmin - zp)), hi = splat(static_cast<float>(qmax - zp));
  const I32 z = splat(zp);
  for_vectors(y, n, [&](int64_t i) {
    const F32 q = load(x + i) / s;
    return round_between(select(q == q, q, splat(0.0f)), lo, hi) + z;
  });
}

[[maybe_unused]] void dequantize(const uint8_t* x, bool is_signed, float* y, int64_t n, float scale, int32_t zp) {
  const F32 s = splat(scale);
  const I32 z = splat(zp);
  const auto loop = [&](auto read) {
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store(y + i, to_float(read(x + i) - z) * s);
    if (i < n) store_first(y + i, to_float(read(x + i) - z) * s, n - i);
  };
  if (is_signed) loop([](const uint8_t* p) { return load_i8(p); });
  else loop([](const uint8_t* p) { return load_u8(p); });
}

void requantize(const int32_t* x, uint8_t* y, int64_t n, float m, int32_t zp, int32_t qmin, int32_t qmax) {
  const F32 scale = splat(m);
  const F32 lo = splat(static_cast<float>(qmin - zp)), hi = splat(static_cast<float>(qmax - zp));
  const I32 z = splat(zp);
  for_vectors(y, n, [&](int64_t i) { return round_between(to_float(load_i32(x + i)) * scale, lo, hi) + z; });
}

void scale_to_bytes(const float* x, uint8_t* y, int64_t n, float m, int32_t zp, int32_t qmin, int32_t qmax) {
  const F32 scale = splat(m);
  const F32 lo = splat(static_cast<float>(qmin - zp)), hi = splat(static_cast<float>(qmax - zp));
  const I32 z = splat(zp);
  for_vectors(y, n, [&](int64_t i) { return round_between(load(x + i) * scale, lo, hi) + z; });
}

template <int kVectors, class Load>
void add_block(const uint8_t* x, int64_t rows, int64_t stride, int32_t* sum, Load&& load_lanes) {
  I32 s[kVectors];
  for (int v = 0; v < kVectors; ++v) s[v] = load_i32(sum + v * kLanes);
  for (int64_t row = 0; row < rows; ++row, x += stride)
    for (int v = 0; v < kVectors; ++v) s[v] = s[v] + load_lanes(x + v * kLanes);
  for (int v = 0; v < kVectors; ++v) store(sum + v * kLanes, s[v]);
}

template <class T, class Load>
void add_typed(const uint8_t* x, int64_t rows, int64_t stride, int32_t* sum, int64_t n, Load&& load_lanes) {
  constexpr int kVectors = 4;
  int64_t i = 0;
  for (; i + kVectors * kLanes <= n; i += kVectors * kLanes)
    add_block<kVectors>(x + i, rows, stride, sum + i, load_lanes);
  for (; i + kLanes <= n; i += kLanes) add_block<1>(x + i, rows, stride, sum + i, load_lanes);
  for (; i < n; ++i)
    for (int64_t row = 0; row < rows; ++row) sum[i] += static_cast<T>(x[row * stride + i]);
}

void add_rows(const uint8_t* x, int64_t rows, int64_t stride, bool is_signed, int32_t* sum, int64_t n) {
  if (is_signed) add_typed<int8_t>(x, rows, stride, sum, n, [](const uint8_t* p) { return load_i8(p); });
  else add_typed<uint8_t>(x, rows, stride, sum, n, [](const uint8_t* p) { return load_u8(p); });
}

}  // namespace
}  // namespace octavo
