#include "kernels/blockgemm/layout.h"

#include <algorithm>

namespace octavo {
namespace {

constexpr size_t kMostBytes = PTRDIFF_MAX / 16;

}  // namespace

bool make_block_layout(BlockLayout* l) {
  if (l->block == 0 || (l->block < kShortestBlock && l->block < l->k)) return false;
  if (l->k > kMostBytes / 64 || l->n > kMostBytes / 64) return false;
  l->block = std::min(l->block, std::max<size_t>(1, l->k));
  if (l->part == 0 || l->part >= l->block) l->part = l->block <= kLongestPart ? l->block : kPartOfLongBlock;
  else if (l->part % kBlockDepth != 0 || l->part > kLongestPart) return false;
  l->blocks = (l->k + l->block - 1) / l->block;
  const size_t whole = l->k / l->block, rest = l->k - whole * l->block;
  l->parts = whole * ((l->block + l->part - 1) / l->part) + (rest + l->part - 1) / l->part;
  // Only the end of a block is padded: parts of long ones are whole.
  l->depth = whole * padded_depth(l->block) + padded_depth(rest);
  l->panels = (l->n + kBlockColumns - 1) / kBlockColumns;
  const size_t scale = l->half_scales ? 2 : 4;
  const size_t zeros = l->zeros == BlockZeros::kOne      ? 0
                       : l->zeros == BlockZeros::kLevels ? packed_zeros(l->bits)
                                                         : kBlockColumns * sizeof(float);
  l->scales_at = l->depth * kBlockColumns * static_cast<size_t>(l->bits) / 8;
  l->zeros_at = l->scales_at + l->blocks * kBlockColumns * scale;
  const size_t end = l->zeros_at + l->blocks * zeros;
  l->panel_bytes = (end + kBlockUnit - 1) / kBlockUnit * kBlockUnit;
  size_t bytes = 0;
  return !__builtin_mul_overflow(l->panels, l->panel_bytes, &bytes) && bytes <= kMostBytes;
}

}  // namespace octavo
