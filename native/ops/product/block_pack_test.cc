// Every compiled instruction set against scalar.cc bit for bit, and scalar.cc against the definition.
#include "kernels/blockgemm/blockgemm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/float_mode.h"
#include "cpu/isa.h"
#include "ops/product/block_pack.h"
#include "test/vector_sizes.h"

namespace octavo {

#define OCTAVO_TABLE BlockGemmKernel
#define OCTAVO_TABLES "kernels/blockgemm/kernels.inc"
#include "kernels/tables.inc"

namespace {

struct Case {
  size_t rows, n, k, block;
  size_t part = 0;  // 0: as long as suits the kernels
};
constexpr Case kCases[] = {{1, 16, 32, 32},    {3, 17, 70, 32},   {5, 33, 48, 16},   {1, 5, 600, 512},
                           {2, 40, 129, 129},  {4, 1, 64, 24},    {1, 31, 300, 300}, {6, 16, 7, 7},
                           {7, 50, 96, 32},    {9, 37, 700, 300}, {2, 200, 130, 64}, {5, 33, 200, 200, 32},
                           {1, 18, 96, 48, 16}};

// Weights of a case as the definition has them, and packed.
struct Weights {
  Format format;
  std::vector<uint8_t> levels, zero_levels;
  std::vector<float> scales, zero_floats;
  BlockLayout layout;
  std::vector<uint8_t> packed;

  Weights(const Case& s, DType type, BlockZeros zeros, bool halves) : format(format_of(type)) {
    test::Random random(s.n * 31 + s.k + s.block);
    const size_t blocks = (s.k + s.block - 1) / s.block, bytes = (s.n * s.k * static_cast<size_t>(format.bits) + 7) / 8;
    levels.resize(bytes);
    for (size_t i = 0; i < s.n * s.k; ++i) set_level(levels.data(), i, format, random.between(format.low, format.high));
    zero_levels.resize(s.n * blocks);
    for (size_t i = 0; i < s.n * blocks; ++i) {
      // Both ends of the levels, negative scales, and none.
      const int32_t zero = i % 3 == 0 ? format.low : i % 3 == 1 ? format.high : random.between(format.low, format.high);
      set_level(zero_levels.data(), i, format, zero);
      zero_floats.push_back(random.real(-3, 9));
      const int sixteenths = random.between(-64, 64);
      scales.push_back(halves ? static_cast<float>(sixteenths) / 16 : i % 7 == 0 ? 0.0f : random.real(-0.1f, 0.1f));
    }
    layout.bits = format.bits, layout.n = s.n, layout.k = s.k, layout.block = s.block;
    layout.half_scales = halves, layout.zeros = zeros, layout.zero = -format.low;
    layout.part = s.part;
    EXPECT(make_block_layout(&layout));
    if (s.part != 0) EXPECT(layout.part == s.part);
    BlockSource source;
    source.levels = {levels.data(), format, true};
    source.scales = {scales.data(), blocks, 1};
    source.zero_levels = {zero_levels.data(), blocks, 1};
    source.zero_floats = {zero_floats.data(), blocks, 1};
    packed.assign(layout.bytes() + 64, 0);
    pack_blocks(layout, source, 0, layout.panels, packed.data());
    expect_rows_pack_alike(s, source);
  }
  // The same weights as [k, n] are packed to the same bytes; and so are panels that are packed on their own.
  void expect_rows_pack_alike(const Case& s, BlockSource source) const {
    std::vector<uint8_t> rows(levels.size());
    for (size_t k = 0; k < s.k; ++k)
      for (size_t j = 0; j < s.n; ++j)
        set_level(rows.data(), k * s.n + j, format, level_at(levels.data(), j * s.k + k, format));
    source.levels = {rows.data(), format, false};
    std::vector<uint8_t> again(packed.size(), 0);
    for (size_t p = 0; p < layout.panels; p += 2)
      pack_blocks(layout, source, p, std::min(p + 2, layout.panels), again.data());
    EXPECT(again == packed);
  }
  double value(const Case& s, size_t column, size_t k, const float* table) const {
    const size_t at = column * layout.blocks + k / s.block;
    const int32_t level = level_at(levels.data(), column * s.k + k, format);
    if (table != nullptr) return static_cast<double>(table[level - format.low]) * scales[at];
    const double zero = layout.zeros == BlockZeros::kFloats   ? static_cast<double>(zero_floats[at])
                        : layout.zeros == BlockZeros::kLevels ? level_at(zero_levels.data(), at, format)
                                                              : 0;
    return (level - zero) * static_cast<double>(scales[at]);
  }
};

void check(const Case& s, const Weights& w, bool integer, const float* table) {
  test::Random random(7);
  test::Array<float> x(s.rows * s.k), want(s.rows * (s.n + 2)), bias(w.layout.panels * kBlockColumns);
  for (size_t i = 0; i < s.rows * s.k; ++i) x[i] = i / s.k == 2 ? 0.0f : random.real(-2, 2);
  for (size_t i = 0; i < w.layout.panels * kBlockColumns; ++i) bias[i] = random.real(-1, 1);
  std::vector<int8_t> first_q;
  const auto run = [&](const BlockGemmKernel& kernel, float* c) {
    std::vector<int8_t> q(s.rows * w.layout.depth + 64);
    std::vector<float> scales(s.rows * w.layout.parts);
    std::vector<int32_t> sums(s.rows * w.layout.parts);
    BlockGemm g{};
    g.layout = &w.layout, g.packed = w.packed.data(), g.panels = w.layout.panels, g.columns = s.n, g.rows = s.rows;
    g.x = x.data(), g.x_stride = s.k, g.x_depth = s.k, g.table = table, g.bias = bias.data(), g.c = c;
    g.c_stride = s.n + 2;
    if (integer) {
      for (size_t r = 0; r < s.rows; ++r)
        kernel.quantize(w.layout, x.data() + r * s.k, s.k, q.data() + r * w.layout.depth, scales.data() + r,
                        sums.data() + r, s.rows);
      g.quantized = {q.data(), scales.data(), sums.data(), s.rows};
    }
    (integer ? kernel.integer : kernel.real)(g);
  };
  run(blockgemm_scalar, want.data());
  for (size_t r = 0; r < s.rows; ++r)
    for (size_t j = 0; j < s.n; ++j) {
      double sum = bias[j], error = 1e-4;
      for (size_t k = 0; k < s.k; ++k) {
        const double weight = w.value(s, j, k, table);
        sum += static_cast<double>(x[r * s.k + k]) * weight;
        // Half a step of a scale of at most 2 / 127, and the rounding of float.
        error += std::fabs(weight) * (integer ? 1.0 / 127 : 1e-5);
      }
      EXPECT(std::fabs(sum - static_cast<double>(want[r * (s.n + 2) + j])) <= error);
    }
  for (const BlockGemmKernel* kernel : kTables) {
    if (!isa_supported(kernel->isa)) continue;
    test::Array<float> got(s.rows * (s.n + 2));
    run(*kernel, got.data());
    EXPECT(got.intact());
    for (size_t r = 0; r < s.rows; ++r)
      test::expect_same_floats(got.data() + r * (s.n + 2), want.data() + r * (s.n + 2), s.n, kernel->name, __FILE__,
                               __LINE__);
  }
}

constexpr DType kTypes[] = {DType::kInt8, DType::kUint8, DType::kInt4, DType::kUint4, DType::kInt2, DType::kUint2};

}  // namespace

TEST(blockgemm_every_instruction_set_gives_the_bits_of_scalar) {
  const FlushSubnormals mode;
  for (const Case& s : kCases)
    for (const DType type : kTypes)
      for (const BlockZeros zeros : {BlockZeros::kOne, BlockZeros::kLevels, BlockZeros::kFloats})
        for (const bool halves : {false, true}) {
          const Weights w(s, type, zeros, halves);
          check(s, w, true, nullptr);
          check(s, w, false, nullptr);
        }
}

TEST(blockgemm_levels_stand_for_the_numbers_of_a_table) {
  const FlushSubnormals mode;
  float table[256];
  for (int i = 0; i < 256; ++i) table[i] = static_cast<float>(i * i % 29) / 16 - 1;
  for (const Case& s : kCases)
    for (const DType type : kTypes) check(s, Weights(s, type, BlockZeros::kOne, false), false, table);
}

TEST(blockgemm_refuses_parts_whose_sums_are_too_big) {
  BlockLayout l;
  l.bits = 4, l.n = 8, l.k = 1024, l.block = 1024, l.part = 512;
  EXPECT(!make_block_layout(&l));
  l.part = 256;
  EXPECT(make_block_layout(&l));
}

TEST(blockgemm_refuses_blocks_that_are_too_short) {
  BlockLayout l;
  l.bits = 4, l.n = 8, l.k = 64, l.block = 8;
  EXPECT(!make_block_layout(&l));
  l.k = 8;
  EXPECT(make_block_layout(&l));
  // Parts of a block are whole steps of the kernels.
  l.k = l.block = 96, l.part = 24;
  EXPECT(!make_block_layout(&l));
}

}  // namespace octavo
