// float16 (IEEE 754 binary16) in plain C++.
#pragma once

#include <cstdint>
#include <cstring>

namespace octavo {

inline float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16, exponent = half >> 10 & 31u, low = half & 0x3FFu;
  uint32_t bits = sign;
  if (exponent == 31) bits |= 0x7F800000u | low << 13;
  else if (exponent != 0) bits |= (exponent + 112) << 23 | low << 13;
  else if (low != 0) {
    // A subnormal: its highest bit becomes the hidden one.
    uint32_t shift = 0;
    while ((low << shift & 0x400u) == 0) ++shift;
    bits |= (113 - shift) << 23 | (low << shift & 0x3FFu) << 13;
  }
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

}  // namespace octavo
