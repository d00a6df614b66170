// Integer products of a few rows by a few panels, whose levels are unpacked in registers: the frame of every kernel
// that is faster than the specification. An instruction set brings its products of bytes as a struct D:
//   Words                        bytes of kLanes columns, 4 of each
//   Sums                         what products are added up in
//   kOffset<bits>                what a level is more than the byte that `level` gives
//   kPlanes<bits>                how many bytes `level` makes of one: 8 / bits, or more where a level takes two
//   plane_k<bits>(plane)         the first k of a plane, within its unit
//   kUnits<bits>                 units that Sums hold without overflow
//   kStep<bits>                  units that go together, at most 16 k: those of which `row` takes the numbers
//   kFloatBits<bits>             whether sums are so small that they become floats by kFloatBias
//   level<bits, plane>(words), four<k>(row(numbers)): 4 numbers of a row from k on
//   start(negated(zero), sum(sum of a row's numbers)): -zero * sum
//   open(start), dot<bits, plane, k>(sums, levels, four), close<bits>(start, sums)
#pragma once

#include "kernels/blockgemm/quantize.h"
#include "kernels/blockgemm/values.h"
#include "simd/unroll.h"

namespace octavo {
namespace {

// Of instruction sets that take a level as one byte.
struct WholeLevels {
  template <int kBits>
  static constexpr int kPlanes = 8 / kBits;
  template <int kBits>
  static constexpr size_t plane_k(int plane) {
    return 4 * static_cast<size_t>(plane);
  }
};

// Of those that read four numbers of a row at a time, where they are.
struct NumbersInPlace {
  template <int kBits>
  static constexpr int kStep = 1;
  using Row = const int8_t*;
  static Row row(const int8_t* numbers) { return numbers; }
  static int32_t four_at(const int8_t* numbers) {
    int32_t four;
    std::memcpy(&four, numbers, sizeof four);
    return four;
  }
};

// Of those whose products are added up in 32 bits.
struct DotSums {
  using Sums = decltype(I32::v);
  template <int kBits>
  static constexpr size_t kUnits = SIZE_MAX;
  static Sums open(I32 sum) { return sum.v; }
  template <int kBits>
  static I32 close(I32, Sums sums) {
    return {sums};
  }
};

// Bytes that a single row asks for before it needs them: packed weights are read once, in order. Chosen by
// octavo_bench blockgemm, cold.
constexpr size_t kPrefetch = 8192, kScalePrefetch = 1024;
// The bits of 1.5 * 2^23: with an integer of less than 23 bits added they are those of the float of their sum.
constexpr int32_t kFloatBias = 0x4B400000;

template <bool kBiased>
inline F32 sum_to_float(I32 sum) {
  if constexpr (kBiased) return from_bits(sum) - splat(12582912.0f);
  else return to_float(sum);
}

// What is left of a tile's sums once the integers of a part are exact.
template <bool kBiased, int kRows, int kV>
__attribute__((always_inline)) inline void add_part(const BlockGemm& g, const uint8_t* panel, size_t block,
                                                    const I32 (&s)[kRows][kV], const float* scales, const int32_t* sums,
                                                    F32 (&y)[kRows][kV]) {
  const BlockLayout& l = *g.layout;
  const auto of_panel = [&](int v) { return panel + static_cast<size_t>(v) / kVectors * l.panel_bytes; };
  F32 levels[kRows][kV], of_block[kV];
  unroll<kRows * kV>([&](auto i) __attribute__((always_inline)) {
    levels[i / kV][i % kV] = sum_to_float<kBiased>(s[i / kV][i % kV]);
  });
  if (l.zeros == BlockZeros::kFloats)
    unroll<kRows * kV>([&](auto i) __attribute__((always_inline)) {
      constexpr size_t r = i / kV, v = i % kV;
      const F32 zero = splat(0.0f) - float_zero(l, of_panel(v), block, v % kVectors);
      levels[r][v] = fused(zero, splat(static_cast<float>(sums[r])), levels[r][v]);
    });
  unroll<kV>([&](auto v)
                 __attribute__((always_inline)) { of_block[v] = block_scale(l, of_panel(v), block, v % kVectors); });
  unroll<kRows>([&](auto r) __attribute__((always_inline)) {
    const F32 scale = splat(scales[r]);
    unroll<kV>([&](auto v)
                   __attribute__((always_inline)) { y[r][v] = fused(levels[r][v] * of_block[v], scale, y[r][v]); });
  });
}

template <class D, int kBits, int kRows, int kPanels>
void integer_tile(const BlockGemm& g, size_t p, size_t row) {
  constexpr int kV = static_cast<int>(kVectors) * kPanels;
  constexpr size_t kUnitDepth = 32 / kBits, kVectorBytes = kLanes * 4;
  const BlockLayout& l = *g.layout;
  const uint8_t *panel = g.packed + p * l.panel_bytes, *from = panel;
  const size_t next_panel = l.panel_bytes, depth = l.depth, stride = g.quantized.stride;
  const size_t scale_bytes = kBlockColumns * (l.half_scales ? sizeof(uint16_t) : sizeof(float));
  const int8_t* numbers = g.quantized.q + row * depth;
  const float* scales = g.quantized.scales + row;
  const int32_t* sums = g.quantized.sums + row;
  F32 y[kRows][kV];
  unroll<kRows * kV>([&](auto i) { y[i / kV][i % kV] = splat(0.0f); });
  constexpr bool kBiased = D::template kFloatBits<kBits>;
  const int32_t zero = (l.zeros == BlockZeros::kOne ? l.zero : 0) - D::template kOffset<kBits>;
  PartRuns runs(l);
  for (PartRun run; runs.next(&run);) {
    const size_t units = padded_depth(run.length) / kUnitDepth, step = run.same_block ? 0 : 1;
    size_t block = run.block;
    for (size_t left = run.parts; left > 0; --left, block += step, scales += stride, sums += stride) {
      if (kRows == 1) __builtin_prefetch(panel + l.scales_at + block * scale_bytes + kScalePrefetch);
      I32 s[kRows][kV];
      if (l.zeros == BlockZeros::kLevels) {
        I32 zeros[kV];
        unroll<kV>([&](auto v) __attribute__((always_inline)) {
          zeros[v] = block_zero<kBits>(l, panel + v / kVectors * next_panel, block, v % kVectors);
          zeros[v] = D::negated(zeros[v] - splat(D::template kOffset<kBits>));
        });
        unroll<kRows>([&](auto r) __attribute__((always_inline)) {
          const auto sum = D::sum(sums[r]);
          unroll<kV>([&](auto v) __attribute__((always_inline)) {
            s[r][v] = D::start(zeros[v], sum);
            if constexpr (kBiased) s[r][v] = s[r][v] + splat(kFloatBias);
          });
        });
      } else {
        unroll<kRows>([&](auto r) __attribute__((always_inline)) {
          const I32 start = splat((kBiased ? kFloatBias : 0) - zero * sums[r]);
          unroll<kV>([&](auto v) __attribute__((always_inline)) { s[r][v] = start; });
        });
      }
      for (size_t u = units; u > 0;) {
        const size_t count = u < D::template kUnits<kBits> ? u : D::template kUnits<kBits>;
        u -= count;
        typename D::Sums open[kRows][kV];
        unroll<kRows * kV>([&](auto i) { open[i / kV][i % kV] = D::open(s[i / kV][i % kV]); });
        constexpr int kStep = D::template kStep<kBits>;
        for (size_t n = count; n > 0; n -= kStep, from += kStep * kBlockUnit, numbers += kStep * kUnitDepth) {
          typename D::Row rows[kRows];
          unroll<kRows>([&](auto r) __attribute__((always_inline)) { rows[r] = D::row(numbers + r * depth); });
          unroll<kStep>([&](auto unit) __attribute__((always_inline)) {
            typename D::Words words[kV];
            unroll<kV>([&](auto v) __attribute__((always_inline)) {
              const uint8_t* at = from + unit * kBlockUnit + v / kVectors * next_panel;
              if (kRows == 1 && v % kVectors == 0) __builtin_prefetch(at + kPrefetch);
              words[v] = D::load(at + v % kVectors * kVectorBytes);
            });
            unroll<D::template kPlanes<kBits>>([&](auto plane) __attribute__((always_inline)) {
              constexpr size_t k = unit * kUnitDepth + D::template plane_k<kBits>(plane());
              typename D::Words levels[kV];
              unroll<kV>([&](auto v) __attribute__((always_inline)) {
                levels[v] = D::template level<kBits, plane()>(words[v]);
              });
              unroll<kRows>([&](auto r) __attribute__((always_inline)) {
                const auto four = D::template four<k>(rows[r]);
                unroll<kV>([&](auto v) __attribute__((always_inline)) {
                  D::template dot<kBits, plane(), k>(open[r][v], levels[v], four);
                });
              });
            });
          });
        }
        unroll<kRows * kV>([&](auto i) __attribute__((always_inline)) {
          s[i / kV][i % kV] = D::template close<kBits>(s[i / kV][i % kV], open[i / kV][i % kV]);
        });
      }
      add_part<kBiased>(g, panel, block, s, scales, sums, y);
    }
  }
  for (size_t r = 0; r < kRows; ++r)
    for (size_t i = 0; i < kPanels; ++i) store_panel(g, p + i, row + r, y[r] + i * kVectors);
}

// Tiles of D::kRows rows by D::kPanels panels; what is left of the rows goes one by one.
template <class D, int kBits, int kPanels>
void integer_rows(const BlockGemm& g, size_t p) {
  size_t row = 0;
  for (; row + D::kRows <= g.rows; row += D::kRows) integer_tile<D, kBits, D::kRows, kPanels>(g, p, row);
  for (; row + 2 <= g.rows; row += 2) integer_tile<D, kBits, 2, kPanels>(g, p, row);
  for (; row < g.rows; ++row)
    for (size_t i = 0; i < kPanels; ++i) integer_tile<D, kBits, 1, 1>(g, p + i, row);
}

template <class D>
void integer_tiles(const BlockGemm& g) {
  with_bits(g.layout->bits, [&](auto bits) {
    size_t p = 0;
    if constexpr (D::kPanels > 1)
      for (; p + D::kPanels <= g.panels; p += D::kPanels) integer_rows<D, bits(), D::kPanels>(g, p);
    for (; p < g.panels; ++p) integer_rows<D, bits(), 1>(g, p);
  });
}

}  // namespace
}  // namespace octavo
