// float16 and bfloat16 as values: conversions round half to even, overflow to infinity, and keep subnormals.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/math/precise.h"

namespace octavo::ops {

// To a format of kMantissa stored bits and kExponent exponent bits, straight from double: no rounding twice.
template <int kMantissa, int kExponent>
uint16_t to_small_float(double x) {
  constexpr int kBias = (1 << (kExponent - 1)) - 1, kDropped = 52 - kMantissa;
  uint64_t b;
  std::memcpy(&b, &x, 8);
  const uint16_t sign = static_cast<uint16_t>(b >> 63 << 15);
  constexpr uint16_t kInfinity = ((1 << kExponent) - 1) << kMantissa;
  b &= ~(1ULL << 63);
  if (b > 0x7ff0000000000000ULL) return static_cast<uint16_t>(kInfinity | 1 << (kMantissa - 1));  // NaN
  const int exponent = static_cast<int>(b >> 52) - 1023;
  if (exponent < 1 - kBias) {  // subnormal: in units of the smallest one
    uint64_t scale_bits = static_cast<uint64_t>(kBias - 1 + kMantissa + 1023) << 52;
    double scale;
    std::memcpy(&scale, &scale_bits, 8);
    return static_cast<uint16_t>(sign | static_cast<uint16_t>(precise_rint(std::fabs(x) * scale)));
  }
  b += (1ULL << (kDropped - 1)) - 1 + (b >> kDropped & 1);
  const int64_t rounded = static_cast<int64_t>(b >> kDropped) - (static_cast<int64_t>(1023 - kBias) << kMantissa);
  return static_cast<uint16_t>(sign | (rounded >= kInfinity ? kInfinity : rounded));
}

template <int kMantissa, int kExponent>
double from_small_float(uint16_t h) {
  constexpr int kBias = (1 << (kExponent - 1)) - 1;
  const int exponent = h >> kMantissa & ((1 << kExponent) - 1);
  const int64_t mantissa = h & ((1 << kMantissa) - 1);
  double value;
  if (exponent == (1 << kExponent) - 1) {
    value = mantissa == 0 ? HUGE_VAL : NAN;
  } else {
    const int64_t whole = exponent == 0 ? mantissa : mantissa | 1 << kMantissa;
    const uint64_t scale_bits = static_cast<uint64_t>((exponent == 0 ? 1 : exponent) - kBias - kMantissa + 1023) << 52;
    double scale;
    std::memcpy(&scale, &scale_bits, 8);
    value = static_cast<double>(whole) * scale;
  }
  return h >> 15 ? -value : value;
}

struct Float16 {
  uint16_t bits;
  static Float16 from(double x) { return {to_small_float<10, 5>(x)}; }
  double value() const { return from_small_float<10, 5>(bits); }
};

struct Bfloat16 {
  uint16_t bits;
  static Bfloat16 from(double x) { return {to_small_float<7, 8>(x)}; }
  double value() const { return from_small_float<7, 8>(bits); }
};

}  // namespace octavo::ops
