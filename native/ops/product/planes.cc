#include "ops/product/planes.h"

namespace octavo {

void split_planes(const uint16_t* from, size_t step, size_t count, PlaneFlips flips, uint8_t* upper, uint8_t* lower) {
  const auto split = [&](size_t i, uint16_t v) {
    upper[i] = static_cast<uint8_t>((v >> 8) ^ flips.upper);
    lower[i] = static_cast<uint8_t>((v & 255) ^ flips.lower);
  };
  if (step == 1)
    for (size_t i = 0; i < count; ++i) split(i, from[i]);
  else
    for (size_t i = 0; i < count; ++i) split(i, from[i * step]);
}

int32_t plane_shift(bool x_signed, bool a_signed) {
  const int32_t upper = x_signed == a_signed ? 0 : a_signed ? -32768 : 32768;
  return a_signed ? upper - 128 : upper;
}

PlaneZeros::PlaneZeros(int32_t zero, bool a_signed) {
  const uint32_t flip = a_signed ? 0x80 : 0, moved = static_cast<uint32_t>(zero) + flip;
  upper = static_cast<uint8_t>(moved >> 8);
  lower = static_cast<uint8_t>(moved ^ flip);
}

}  // namespace octavo
