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

// Parts of one length that lie together: whole blocks, or parts of one block.
struct PartRun {
  size_t block = 0, part = 0, at = 0;  // of the first
  size_t parts = 0, length = 0;
  bool same_block = false;
};

// The parts of a row, in order of k, run by run.
class PartRuns {
 public:
  explicit PartRuns(const BlockLayout& layout) : l_(layout) {}
  bool next(PartRun* run) {
    if (block_ == l_.blocks) return false;
    const size_t first = block_ * l_.block, left = l_.k - first - offset_;
    const bool whole = l_.part == l_.block;
    const size_t of_block = l_.block - offset_ < left ? l_.block - offset_ : left, most = whole ? left : of_block;
    const size_t parts = most < l_.part ? 1 : most / l_.part, length = most < l_.part ? most : l_.part;
    *run = {block_, part_, at_, parts, length, !whole};
    part_ += parts;
    at_ += parts * padded_depth(length);
    offset_ += parts * length;
    if (whole) block_ += parts, offset_ = 0;
    else if (parts * length == of_block) ++block_, offset_ = 0;
    return true;
  }

 private:
  const BlockLayout& l_;
  size_t block_ = 0, offset_ = 0, part_ = 0, at_ = 0;
};

}  // namespace
}  // namespace octavo
