// 16-bit activations as two planes of bytes, x = 256 * upper + lower, each in the signedness of the kernel that
// multiplies it: sums of 8-bit products are exact in 32 bits, and kernels/finish puts them together. What is added to x
// by that, 128 to lower bytes or 128 * 256 to upper ones, its zero point gets too.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octavo {

// What makes bytes of an element those of a kernel.
struct PlaneFlips {
  uint8_t upper = 0, lower = 0;

  PlaneFlips() = default;
  PlaneFlips(bool x_signed, bool a_signed) : upper(x_signed == a_signed ? 0 : 0x80), lower(a_signed ? 0x80 : 0) {}
};

// `count` elements, `step` elements apart.
void split_planes(const uint16_t* from, size_t step, size_t count, PlaneFlips flips, uint8_t* upper, uint8_t* lower);

// What is added to x by the flips.
int32_t plane_shift(bool x_signed, bool a_signed);

// Bytes of both planes that are a zero point to which that was added.
struct PlaneZeros {
  uint8_t upper, lower;

  PlaneZeros(int32_t zero, bool a_signed);
};

}  // namespace octavo
