// The parts of a row, in order of k: what every kernel of the family walks over.
#pragma once

#include "kernels/blockgemm/blockgemm.h"

namespace octavo {
namespace {

// visit(block, part, at, length): `length` numbers from `at` on, of the padded row; they end with the block.
template <class Visit>
__attribute__((always_inline)) inline void for_parts(const BlockLayout& l, Visit&& visit) {
  size_t at = 0, part = 0;
  for (size_t block = 0; block < l.blocks; ++block) {
    const size_t first = block * l.block, end = first + l.block < l.k ? first + l.block : l.k;
    for (size_t k = first; k < end; k += l.part, ++part) {
      const size_t length = end - k < l.part ? end - k : l.part;
      visit(block, part, at, length);
      at += padded_depth(length);
    }
  }
}

}  // namespace
}  // namespace octavo
