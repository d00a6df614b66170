// Float products of a few rows by a few panels, whose levels become floats in registers: the arithmetic of blockgemm.h
// for every instruction set. L says the tile, and what a level is worth:
//   kRows x kPanels of many rows, 1 x kPanelsOfRow of one
//   Values<bits>(table)          the numbers of levels; nullptr: the levels themselves
//   operator()(words)            of the lowest bits of each word, whatever is above them
#pragma once

#include "kernels/blockgemm/values.h"
#include "simd/unroll.h"

namespace octavo {
namespace {

// t += x * (value - zero) for `steps` steps of 4 k each, of a unit.
template <int kBits, int kRows, int kV, class Values>
__attribute__((always_inline)) inline void real_steps(const Values& values, I32 (&words)[kV], const F32 (&zero)[kV],
                                                      const float* x, size_t stride, size_t steps,
                                                      F32 (&t)[kRows][kV]) {
  for (size_t step = 0; step < steps; ++step, x += 4)
    unroll<kV>([&](auto v) __attribute__((always_inline)) {
      unroll<4>([&](auto i) __attribute__((always_inline)) {
        F32 value;
        // NEON has no shift by 0.
        if constexpr (i() == 0) value = values(words[v]);
        else value = values(shift_right<i() * 8>(words[v]));
        value = value - zero[v];
        unroll<kRows>([&](auto r) __attribute__((always_inline)) {
          t[r][v] = fused(splat(x[static_cast<size_t>(r) * stride + static_cast<size_t>(i)]), value, t[r][v]);
        });
      });
      if constexpr (kBits < 8) words[v] = shift_right<kBits>(words[v]);
    });
}

// The same for the k before `left` of one step.
template <int kRows, int kV, class Values>
inline void real_rest(const Values& values, const I32 (&words)[kV], const F32 (&zero)[kV], const float* x,
                      size_t stride, size_t left, F32 (&t)[kRows][kV]) {
  for (int v = 0; v < kV; ++v) {
    I32 word = words[v];
    for (size_t i = 0; i < left; ++i, word = shift_right<8>(word)) {
      const F32 value = values(word) - zero[v];
      for (size_t r = 0; r < kRows; ++r) t[r][v] = fused(splat(x[r * stride + i]), value, t[r][v]);
    }
  }
}

template <class L, int kBits, int kRows, int kPanels>
void real_tile(const BlockGemm& g, size_t p, size_t row) {
  constexpr int kV = static_cast<int>(kVectors) * kPanels;
  constexpr size_t kUnitDepth = 32 / kBits, kSteps = 8 / kBits;
  const BlockLayout& l = *g.layout;
  const uint8_t *panel = g.packed + p * l.panel_bytes, *from = panel;
  const auto of_panel = [&](int v) { return panel + static_cast<size_t>(v) / kVectors * l.panel_bytes; };
  const typename L::template Values<kBits> values(g.table);
  F32 y[kRows][kV];
  unroll<kRows * kV>([&](auto i) { y[i / kV][i % kV] = splat(0.0f); });
  for (size_t block = 0; block < l.blocks; ++block) {
    const size_t first = block * l.block, end = first + l.block < l.k ? first + l.block : l.k;
    const size_t left = (end < g.x_depth ? end : g.x_depth) - (first < g.x_depth ? first : g.x_depth);
    const float* x = g.x + row * g.x_stride + first;
    F32 zero[kV], t[kRows][kV];
    unroll<kV>([&](auto v) __attribute__((always_inline)) {
      zero[v] = g.table != nullptr               ? splat(0.0f)
                : l.zeros == BlockZeros::kFloats ? float_zero(l, of_panel(v), block, v % kVectors)
                                                 : to_float(block_zero<kBits>(l, of_panel(v), block, v % kVectors));
    });
    unroll<kRows * kV>([&](auto i) { t[i / kV][i % kV] = splat(0.0f); });
    for (size_t k = 0; k < left; k += kUnitDepth) {
      const uint8_t* unit = from + k / kUnitDepth * kBlockUnit;
      I32 words[kV];
      unroll<kV>([&](auto v) __attribute__((always_inline)) {
        const uint8_t* of_vector = unit + static_cast<size_t>(v) / kVectors * l.panel_bytes;
        if (kRows == 1 && v % kVectors == 0) __builtin_prefetch(of_vector + 1024);
        words[v] = load_i32(reinterpret_cast<const int32_t*>(of_vector) + v % kVectors * kLanes);
      });
      if (left - k >= kUnitDepth) {
        real_steps<kBits>(values, words, zero, x + k, g.x_stride, kSteps, t);
      } else {
        const size_t steps = (left - k) / 4, rest = (left - k) % 4;
        real_steps<kBits>(values, words, zero, x + k, g.x_stride, steps, t);
        real_rest(values, words, zero, x + k + steps * 4, g.x_stride, rest, t);
      }
    }
    unroll<kV>([&](auto v) __attribute__((always_inline)) {
      const F32 scale = block_scale(l, of_panel(v), block, v % kVectors);
      unroll<kRows>([&](auto r) { y[r][v] = fused(t[r][v], scale, y[r][v]); });
    });
    from += padded_depth(end - first) / kUnitDepth * kBlockUnit;
  }
  for (size_t r = 0; r < kRows; ++r)
    for (size_t i = 0; i < kPanels; ++i) store_panel(g, p + i, row + r, y[r] + i * kVectors);
}

// Panels by kPanels, then one by one, for the rows [row, ends).
template <class L, int kBits, int kRows, int kPanels>
size_t real_rows(const BlockGemm& g, size_t row) {
  for (; row + kRows <= g.rows; row += kRows) {
    size_t p = 0;
    if constexpr (kPanels > 1)
      for (; p + kPanels <= g.panels; p += kPanels) real_tile<L, kBits, kRows, kPanels>(g, p, row);
    for (; p < g.panels; ++p) real_tile<L, kBits, kRows, 1>(g, p, row);
  }
  return row;
}

template <class L>
void real_tiles(const BlockGemm& g) {
  with_bits(g.layout->bits, [&](auto bits) {
    size_t row = 0;
    if constexpr (L::kRows > 1) row = real_rows<L, bits(), L::kRows, L::kPanels>(g, row);
    real_rows<L, bits(), 1, L::kPanelsOfRow>(g, row);
  });
}

// Levels as they are, or out of a table lane by lane.
template <int kBits>
struct PlainValues {
  const float* table;

  explicit PlainValues(const float* numbers) : table(numbers) {}
  inline F32 operator()(I32 words) const {
    const I32 level = words & splat((1 << kBits) - 1);
    if (table == nullptr) return to_float(level);
    int32_t lanes[kLanes];
    float values[kLanes];
    store(lanes, level);
    for (int i = 0; i < kLanes; ++i) values[i] = table[lanes[i]];
    return load(values);
  }
};

}  // namespace
}  // namespace octavo
