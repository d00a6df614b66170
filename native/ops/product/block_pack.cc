#include "ops/product/block_pack.h"

#include <algorithm>
#include <cstring>

#include "kernels/blockgemm/parts.h"
#include "ops/support/half.h"

namespace octavo {
namespace {

// The columns of a panel, a byte a weight.
void pack_levels(const BlockLayout& l, const WeightSource& columns, int32_t low, uint8_t* to) {
  const size_t unit_depth = 32 / static_cast<size_t>(l.bits);
  std::memset(to, 0, l.scales_at);
  size_t from = 0;
  for_parts(l, [&](size_t, size_t, size_t at, size_t length) {
    for (size_t c = 0; c < columns.n; ++c)
      for (size_t i = 0; i < length; ++i) {
        const uint8_t byte = columns.data[c * columns.n_stride + (from + i) * columns.k_stride];
        const uint32_t level = static_cast<uint32_t>(columns.format.decode(byte) - low);
        const size_t k = at + i, in_unit = k % unit_depth;
        uint8_t& packed = to[k / unit_depth * kBlockUnit + 4 * c + in_unit % 4];
        packed = static_cast<uint8_t>(packed | level << (in_unit / 4 * static_cast<size_t>(l.bits)));
      }
    from += length;
  });
}

void pack_zero(int bits, int32_t level, size_t column, uint8_t* to) {
  const size_t width = static_cast<size_t>(bits), bytes = packed_zeros(bits);
  uint8_t& packed = to[column % bytes];
  packed = static_cast<uint8_t>(packed | static_cast<uint32_t>(level) << (column / bytes * width));
}

}  // namespace

bool pack_blocks(const BlockLayout& l, const BlockSource& s, uint8_t* packed) {
  const Format& format = s.levels.format;
  WeightColumns columns(s.levels, kBlockColumns);
  if (!columns.allocate()) return false;
  for (size_t p = 0; p < l.panels; ++p) {
    uint8_t* panel = packed + p * l.panel_bytes;
    const size_t first = p * kBlockColumns, count = std::min(kBlockColumns, l.n - first);
    pack_levels(l, columns.take(0, first, count), format.low, panel);
    std::memset(panel + l.scales_at, 0, l.panel_bytes - l.scales_at);
    auto* scales = reinterpret_cast<float*>(panel + l.scales_at);
    auto* halves = reinterpret_cast<uint16_t*>(panel + l.scales_at);
    uint8_t* zeros = panel + l.zeros_at;
    auto* float_zeros = reinterpret_cast<float*>(panel + l.zeros_at);
    for (size_t b = 0; b < l.blocks; ++b)
      for (size_t c = 0; c < count; ++c) {
        const size_t column = first + c, at = b * kBlockColumns + c;
        const float scale = s.scales.data[s.scales.at(column, b)];
        if (l.half_scales) halves[at] = ops::Float16::from(static_cast<double>(scale)).bits;
        else scales[at] = scale;
        // Zero points as the layout counts levels, from 0 on.
        if (l.zeros == BlockZeros::kLevels)
          pack_zero(l.bits, level_at(s.zero_levels.data, s.zero_levels.at(column, b), format) - format.low, c,
                    zeros + b * packed_zeros(l.bits));
        else if (l.zeros == BlockZeros::kFloats)
          float_zeros[at] = s.zero_floats.data[s.zero_floats.at(column, b)] - static_cast<float>(format.low);
      }
  }
  return true;
}

}  // namespace octavo
