// Sums of 16-bit activations, which come as those of their upper and their lower bytes: 256 * high + low and all that
// is added are integers below 2^53, so float64 holds them exactly, and one product and one rounding follow. The loops
// are plain C++ that every <isa>.cc compiles for itself.
#pragma once

#include "kernels/finish/finish.h"

namespace octavo {
namespace {

constexpr size_t kWideColumns = 16;

// put(r, i, products, n): n sums of row r from column i on, times their multipliers; n is at most kWideColumns.
template <class Put>
inline void for_wide(const WideTile& t, Put put) {
  double sums[kWideColumns];
  for (size_t r = 0; r < t.m; ++r) {
    const int32_t *high = t.high + r * t.stride, *low = t.low + r * t.stride;
    const double row = t.row_sums ? t.row_sums[r] : 0;
    for (size_t i = 0; i < t.n; i += kWideColumns) {
      const auto add = [&](size_t count) __attribute__((always_inline)) {
        for (size_t j = 0; j < count; ++j)
          sums[j] = 256.0 * static_cast<double>(high[i + j]) + static_cast<double>(low[i + j]) + t.start[i + j];
        if (t.before)
          for (size_t j = 0; j < count; ++j) sums[j] += t.before[r * t.stride + i + j];
        if (t.row_sums)
          for (size_t j = 0; j < count; ++j) sums[j] -= static_cast<double>(t.w_zero[i + j]) * row;
        for (size_t j = 0; j < count; ++j) sums[j] *= static_cast<double>(t.multiplier[i + j]);
      };
      const size_t n = t.n - i < kWideColumns ? t.n - i : kWideColumns;
      if (n == kWideColumns) add(kWideColumns);
      else add(n);
      put(r, i, sums, n);
    }
  }
}

template <class T>
inline void wide_levels(const WideTile& t) {
  // |levels| < 2^17: adding 1.5 * 2^52 leaves the nearest integer, half to even.
  constexpr double kRounder = 6755399441055744.0;
  const double lo = static_cast<double>(t.requantize.lo), hi = static_cast<double>(t.requantize.hi);
  for_wide(t, [&](size_t r, size_t i, const double* products, size_t n) __attribute__((always_inline)) {
    T* out = reinterpret_cast<T*>(static_cast<uint8_t*>(t.out) + r * t.row_bytes) + i;
    const auto put = [&](size_t count) __attribute__((always_inline)) {
      for (size_t j = 0; j < count; ++j) {
        const double above = products[j] > lo ? products[j] : lo, bounded = above < hi ? above : hi;
        out[j] = static_cast<T>(static_cast<int32_t>(bounded + kRounder - kRounder) + t.requantize.zero_point);
      }
    };
    if (n == kWideColumns) put(kWideColumns);
    else put(n);
  });
}

void wide_bytes(const WideTile& t) { wide_levels<uint8_t>(t); }
void wide_halves(const WideTile& t) { wide_levels<uint16_t>(t); }

void wide_floats(const WideTile& t) {
  for_wide(t, [&](size_t r, size_t i, const double* products, size_t n) __attribute__((always_inline)) {
    float* out = reinterpret_cast<float*>(static_cast<uint8_t*>(t.out) + r * t.row_bytes) + i;
    for (size_t j = 0; j < n; ++j) {
      const float real = static_cast<float>(products[j]);
      out[j] = t.bias ? real + t.bias[i + j] : real;
    }
  });
}

}  // namespace
}  // namespace octavo
