// How weights with a scale for each block of k lie in memory once they are packed: of n columns, k deep, the same on
// every instruction set.
//
// A panel holds kBlockColumns columns: the levels of all its blocks, then their scales, then their zero points. Every
// block of a column is padded to a multiple of kBlockDepth. Levels are unsigned, from 0 on; 64 bytes hold 4 k of all
// columns for each 8 bits: byte 4 * c + i has, from its lowest bits up, those of column c at k = 4 * s + i for the
// steps s = 0, 1, .. (one step of 8 bits, two of 4, four of 2). Zero points that are levels take as many bits: of a
// block, that of column c is in byte c % (2 * bits), from bit c / (2 * bits) * bits on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octavo {

constexpr size_t kBlockColumns = 16;
constexpr size_t kBlockDepth = 16;
constexpr size_t kBlockUnit = 64;     // bytes of 4 k, 8 k or 16 k of a panel
constexpr size_t kLongestPart = 256;  // a longer block is several parts
constexpr size_t kPartOfLongBlock = 128;
constexpr size_t kShortestBlock = 16;

// k of a block or the end of one, as memory holds it.
constexpr size_t padded_depth(size_t k) { return (k + kBlockDepth - 1) / kBlockDepth * kBlockDepth; }

// Bytes of the zero points of a block of a panel, as levels.
constexpr size_t packed_zeros(int bits) { return kBlockColumns * static_cast<size_t>(bits) / 8; }

enum class BlockZeros : uint8_t { kOne, kLevels, kFloats };

struct BlockLayout {
  int bits = 8;
  size_t n = 0, k = 0;
  size_t block = 0;  // k of a scale
  size_t part = 0;   // k that the integers are summed over: the block, or a part of it; 0: as long as suits the kernels
  bool half_scales = false;
  BlockZeros zeros = BlockZeros::kOne;
  int32_t zero = 0;  // kOne: of all blocks, as levels are
  // Made of these:
  size_t blocks = 0, parts = 0, panels = 0;
  size_t depth = 0;  // padded k of a column
  size_t scales_at = 0, zeros_at = 0, panel_bytes = 0;

  size_t bytes() const { return panels * panel_bytes; }
};

// Completes a layout. False: the sizes are none (a block under 16, a part that is no multiple of it, or over 256) or
// too big.
[[nodiscard]] bool make_block_layout(BlockLayout* layout);

}  // namespace octavo
