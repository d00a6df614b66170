#include "ops/product/block_pack.h"

#include <algorithm>
#include <cstring>

#include "kernels/blockgemm/parts.h"
#include "simd/half.h"

namespace octavo {
namespace {

void pack_levels(const BlockLayout& l, const BlockSource& s, size_t panel, uint8_t* to) {
  const size_t first = panel * kBlockColumns, columns = std::min(kBlockColumns, l.n - first);
  const size_t unit_depth = 32 / static_cast<size_t>(l.bits);
  std::memset(to, 0, l.scales_at);
  size_t from = 0;
  for_parts(l, [&](size_t, size_t, size_t at, size_t length) {
    for (size_t c = 0; c < columns; ++c)
      for (size_t i = 0; i < length; ++i) {
        const size_t element = (first + c) * s.n_stride + (from + i) * s.k_stride;
        const int32_t level = level_at(s.data, element, s.format) - s.format.low - l.offset();
        const size_t k = at + i, in_unit = k % unit_depth;
        uint8_t& byte = to[k / unit_depth * kBlockUnit + 4 * c + in_unit % 4];
        const uint32_t bits = static_cast<uint32_t>(level) & ((1u << l.bits) - 1);
        byte = static_cast<uint8_t>(byte | bits << (in_unit / 4 * static_cast<size_t>(l.bits)));
      }
    from += length;
  });
}

}  // namespace

float BlockSource::scale(size_t column, size_t block) const {
  const size_t at = column * scale_n + block * scale_k;
  return halves != nullptr ? half_to_float(halves[at]) : scales[at];
}

int32_t BlockSource::zero_level(size_t column, size_t block) const {
  return level_at(zero_levels, column * zero_n + block * zero_k, format) - format.low;
}

float BlockSource::zero_float(size_t column, size_t block) const {
  return zero_floats[column * zero_n + block * zero_k] - static_cast<float>(format.low);
}

void pack_blocks(const BlockLayout& l, const BlockSource& s, size_t first, size_t last, uint8_t* packed) {
  for (size_t p = first; p < last; ++p) {
    uint8_t* panel = packed + p * l.panel_bytes;
    pack_levels(l, s, p, panel);
    std::memset(panel + l.scales_at, 0, l.panel_bytes - l.scales_at);
    auto* scales = reinterpret_cast<float*>(panel + l.scales_at);
    auto* halves = reinterpret_cast<uint16_t*>(panel + l.scales_at);
    uint8_t* zeros = panel + l.zeros_at;
    auto* float_zeros = reinterpret_cast<float*>(panel + l.zeros_at);
    const size_t columns = std::min(kBlockColumns, l.n - p * kBlockColumns);
    for (size_t b = 0; b < l.blocks; ++b)
      for (size_t c = 0; c < columns; ++c) {
        const size_t column = p * kBlockColumns + c, at = b * kBlockColumns + c;
        const float scale = s.scale(column, b);
        if (l.half_scales) static_cast<void>(exact_half(scale, halves + at));
        else scales[at] = scale;
        if (l.zeros == BlockZeros::kBytes) zeros[at] = static_cast<uint8_t>(s.zero_level(column, b));
        else if (l.zeros == BlockZeros::kFloats) float_zeros[at] = s.zero_float(column, b);
      }
  }
}

}  // namespace octavo
