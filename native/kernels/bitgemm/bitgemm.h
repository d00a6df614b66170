// Products of signs: a bit for each operand, 32 of them in a word. What a kernel counts are the places where two rows
// of bits differ; where all operands are -1 or 1, the sum of their products is the number of places less twice that.
//
//   counts[r][n] = sum over taps t, words i of  popcount((rows[t * mr + r][i] ^ w(t, i, n)) & masks[t * mr + r][i])
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
  size_t words;           // of a tap
  const uint32_t* panel;  // [taps][words][nr]
  int32_t* counts;        // [mr][nr]
};

constexpr size_t kBitMaxRows = 8;
constexpr size_t kBitMaxColumns = 32;

struct BitKernel {
  Isa isa;
  const char* name;
  void (*run)(const BitTile& tile);
  int mr, nr;
  // Whether this CPU has what the kernel needs besides its instruction set; null: nothing.
  bool (*runs_here)();
};

// Every kernel of this build, best first.
const BitKernel* const* bit_kernels(size_t* count);
const BitKernel& bit_kernel();  // the best for this machine

}  // namespace octavo
