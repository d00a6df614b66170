// Products of signs: a bit for each operand, 32 of them in a word. What a kernel counts are the places where two rows
// of bits differ; where all operands are -1 or 1, the sum of their products is the number of places less twice that.
//
//   sums[r][n] = bias[n] + present[r]
//              - 2 * sum over taps t, words i of  popcount((rows[t * mr + r][i] ^ w(t, i, n)) & masks[t * mr + r][i])
//
// The mask takes out operands that are 0: those of the activations that are, and the border of an image.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa_id.h"

namespace octavo {

struct BitTile {
  const uint32_t* const* rows;   // [taps][mr], all of them readable
  const uint32_t* const* masks;  // the same; null: nothing is taken out
  size_t taps;
  size_t words;            // of a tap
  const uint32_t* panel;   // [taps][words][nr]
  const int32_t* bias;     // [nr]
  const int32_t* present;  // [mr]: operands that are not 0
  int32_t* sums;           // [mr][nr]
};

// Bytes to signs: element i of a row is x[i] less the zero point, of which only the sign counts.
struct BitRows {
  const uint8_t* x;
  size_t stride;  // bytes from one row to the next
  size_t rows, count;
  uint8_t flip;  // 0x80 for int8: bytes and zero point are compared as unsigned ones
  uint8_t zero;  // the zero point, flipped
  // [rows][words], 32 elements in a word from the lowest bit on; bits beyond `count` are 0.
  size_t words;
  uint32_t* positive;
  uint32_t* nonzero;
  int32_t* present;  // [rows]: elements that are not 0
  int32_t* sums;     // [rows]: those above 0 less those below
};

constexpr size_t bit_words(size_t count) { return (count + 31) / 32; }

constexpr size_t kBitMaxRows = 8;
constexpr size_t kBitMaxColumns = 32;

struct BitKernel {
  Isa isa;
  const char* name;
  void (*run)(const BitTile& tile);
  void (*pack)(const BitRows& rows);
  int mr, nr;
  // Whether this CPU has what the kernel needs besides its instruction set; null: nothing.
  bool (*runs_here)();
};

const BitKernel& bit_kernel();  // the best for this machine

}  // namespace octavo
