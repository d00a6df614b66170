#include "ops/product/block_pack.h"

#include <algorithm>
#include <cstring>

#include "kernels/blockgemm/parts.h"
#include "ops/support/half.h"

namespace octavo {
namespace {

// Panels whose columns are taken together where a row of columns lies together: a line of memory of 4 bits.
constexpr size_t kStripPanels = 8;

// Levels from 0 on are the stored bits with the top one of each flipped, where the type is signed.
uint32_t flipped_bits(const Format& f) {
  if (!f.is_signed) return 0;
  return f.bits == 8 ? 0x80808080u : f.bits == 4 ? 0x88888888u : 0xAAAAAAAAu;
}

uint32_t swap_bits(uint32_t w, int distance, uint32_t lower) {
  const uint32_t t = (w ^ w >> distance) & lower;
  return w ^ t ^ t << distance;
}

// The levels of a column of a unit, in order of k, to where the layout has them: fields 4 * step + i to 4 * i + step
// (of 4 bits: to 2 * i + step).
template <int kBits>
uint32_t to_unit(uint32_t levels) {
  if constexpr (kBits == 8) return levels;
  if constexpr (kBits == 4) return swap_bits(swap_bits(levels, 8, 0x0000FF00u), 4, 0x00F000F0u);
  return swap_bits(swap_bits(levels, 6, 0x00CC00CCu), 12, 0x0000F0F0u);
}

// `count` levels, from the lowest bits up.
template <int kBits>
uint32_t levels_at(const uint8_t* data, size_t first, size_t count, const Format& f, uint32_t flip) {
  constexpr size_t kWhole = 32 / kBits;
  uint32_t word = 0;
  if (count == kWhole && first * kBits % 8 == 0) {
    std::memcpy(&word, data + first * kBits / 8, sizeof(word));
    return word ^ flip;
  }
  for (size_t i = 0; i < count; ++i) word |= static_cast<uint32_t>(level_at(data, first + i, f) - f.low) << (i * kBits);
  return word;
}

// Panels of [n, k].
template <int kBits>
void pack_columns(const BlockLayout& l, const BlockLevels& s, size_t first_panel, size_t end_panel, uint8_t* packed) {
  constexpr size_t kUnitDepth = 32 / kBits;
  const uint32_t flip = flipped_bits(s.format);
  for (size_t p = first_panel; p < end_panel; ++p) {
    uint8_t* panel = packed + p * l.panel_bytes;
    const size_t first = p * kBlockColumns, count = std::min(kBlockColumns, l.n - first);
    size_t from = 0;
    for_parts(l, [&](size_t, size_t, size_t at, size_t length) {
      uint8_t* unit = panel + at / kUnitDepth * kBlockUnit;
      for (size_t k = 0; k < padded_depth(length); k += kUnitDepth, unit += kBlockUnit) {
        const size_t left = k < length ? std::min(kUnitDepth, length - k) : 0;
        uint32_t words[kBlockColumns] = {};
        for (size_t c = 0; c < count; ++c)
          words[c] = to_unit<kBits>(levels_at<kBits>(s.data, (first + c) * l.k + from + k, left, s.format, flip));
        std::memcpy(unit, words, sizeof(words));
      }
      from += length;
    });
  }
}

// A byte for each of `count` levels.
template <int kBits>
void spread_levels(const uint8_t* data, size_t first, size_t count, const Format& f, uint8_t* out) {
  constexpr size_t kPerByte = 8 / kBits;
  const uint8_t flip = static_cast<uint8_t>(flipped_bits(f));
  size_t i = 0;
  if (first % kPerByte == 0) {
    const uint8_t* bytes = data + first / kPerByte;
    for (; i + kPerByte <= count; i += kPerByte) {
      const uint32_t byte = *bytes++ ^ flip;
      for (size_t j = 0; j < kPerByte; ++j)
        out[i + j] = static_cast<uint8_t>(byte >> (j * kBits) & ((1u << kBits) - 1));
    }
  }
  for (; i < count; ++i) out[i] = static_cast<uint8_t>(level_at(data, first + i, f) - f.low);
}

// Panels of [k, n], a strip of them at a time: a row of columns is read as it lies.
template <int kBits>
void pack_rows(const BlockLayout& l, const BlockLevels& s, size_t first_panel, size_t end_panel, uint8_t* packed) {
  constexpr size_t kUnitDepth = 32 / kBits, kStrip = kStripPanels * kBlockColumns;
  uint8_t tile[kUnitDepth][kStrip];
  for (size_t p = first_panel; p < end_panel; p += kStripPanels) {
    const size_t first = p * kBlockColumns, panels = std::min(kStripPanels, end_panel - p);
    const size_t count = std::min(panels * kBlockColumns, l.n - first);
    std::memset(tile, 0, sizeof(tile));
    size_t from = 0;
    for_parts(l, [&](size_t, size_t, size_t at, size_t length) {
      for (size_t k = 0; k < padded_depth(length); k += kUnitDepth) {
        for (size_t i = 0; i < kUnitDepth; ++i)
          if (k + i < length) spread_levels<kBits>(s.data, (from + k + i) * l.n + first, count, s.format, tile[i]);
          else std::memset(tile[i], 0, kStrip);
        for (size_t j = 0; j < panels; ++j) {
          uint32_t words[kBlockColumns] = {};
          for (size_t i = 0; i < kUnitDepth; ++i) {
            const size_t shift = i % 4 * 8 + i / 4 * kBits;
            for (size_t c = 0; c < kBlockColumns; ++c)
              words[c] |= static_cast<uint32_t>(tile[i][j * kBlockColumns + c]) << shift;
          }
          std::memcpy(packed + (p + j) * l.panel_bytes + (at + k) / kUnitDepth * kBlockUnit, words, sizeof(words));
        }
      }
      from += length;
    });
  }
}

template <int kBits>
void pack_levels(const BlockLayout& l, const BlockLevels& s, size_t first, size_t end, uint8_t* packed) {
  (s.by_columns ? pack_columns<kBits> : pack_rows<kBits>)(l, s, first, end, packed);
}

void pack_zero(int bits, int32_t level, size_t column, uint8_t* to) {
  const size_t width = static_cast<size_t>(bits), bytes = packed_zeros(bits);
  uint8_t& packed = to[column % bytes];
  packed = static_cast<uint8_t>(packed | static_cast<uint32_t>(level) << (column / bytes * width));
}

}  // namespace

bool is_half(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  if ((bits & 0x7FFFFFFFu) == 0) return true;
  const uint32_t exponent = bits >> 23 & 255;
  // A float16 that is not subnormal has 10 of the 23 bits, and exponents from -14 to 15.
  if (exponent >= 113) return exponent <= 142 && (bits & 0x1FFFu) == 0;
  return ops::Float16::from(static_cast<double>(x)).value() == static_cast<double>(x);
}

void pack_blocks(const BlockLayout& l, const BlockSource& s, size_t first_panel, size_t end_panel, uint8_t* packed) {
  const Format& format = s.levels.format;
  (l.bits == 4   ? pack_levels<4>
   : l.bits == 2 ? pack_levels<2>
                 : pack_levels<8>)(l, s.levels, first_panel, end_panel, packed);
  for (size_t p = first_panel; p < end_panel; ++p) {
    uint8_t* panel = packed + p * l.panel_bytes;
    const size_t first = p * kBlockColumns, count = std::min(kBlockColumns, l.n - first);
    std::memset(panel + l.scales_at, 0, l.panel_bytes - l.scales_at);
    auto* scales = reinterpret_cast<float*>(panel + l.scales_at);
    auto* halves = reinterpret_cast<uint16_t*>(panel + l.scales_at);
    uint8_t* zeros = panel + l.zeros_at;
    auto* float_zeros = reinterpret_cast<float*>(panel + l.zeros_at);
    for (size_t c = 0; c < count; ++c)
      for (size_t b = 0; b < l.blocks; ++b) {
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
}

}  // namespace octavo
