// Blocks of every kernel against the definition, both orders, with and without the flip, guards around what is written.
#include "kernels/qpack/qpack.h"

#include "cpu/isa.h"
#include "test/vector_sizes.h"

namespace octavo {

#define OCTAVO_KERNEL(isa, symbol) extern const QPackKernel symbol;
#include "kernels/qpack/kernels.inc"
#undef OCTAVO_KERNEL

namespace {

void check(const QPackKernel& k, size_t depth, size_t columns, bool by_rows, uint8_t flip) {
  constexpr size_t kSpare = 3;
  const size_t group = (columns + kSpare) * k.kr, line = (by_rows ? columns : depth) + 5;
  test::Array<uint8_t> data((by_rows ? depth : columns) * line);
  test::Array<int8_t> got(depth / k.kr * group), want(depth / k.kr * group);
  test::Array<int32_t> sums(columns), expected(columns);
  test::Random random(depth * 1000 + columns);
  for (size_t i = 0; i < (by_rows ? depth : columns) * line; ++i)
    data[i] = static_cast<uint8_t>(i % 3 ? random.next() >> 32 : flip ? 0 : 128);
  std::memset(got.data(), 0x33, depth / k.kr * group);
  std::memset(want.data(), 0x33, depth / k.kr * group);
  for (size_t c = 0; c < columns; ++c) sums[c] = expected[c] = static_cast<int32_t>(c) - 4;
  const size_t k_stride = by_rows ? line : 1, n_stride = by_rows ? 1 : line;
  for (size_t c = 0; c < columns; ++c)
    for (size_t d = 0; d < depth; ++d) {
      const int8_t v = static_cast<int8_t>(data[d * k_stride + c * n_stride] ^ flip);
      want[d / k.kr * group + c * k.kr + d % k.kr] = v;
      expected[c] += v;
    }
  (by_rows ? k.rows
           : k.columns)({data.data(), k_stride, n_stride, depth, columns, flip, got.data(), group, sums.data()});
  const std::string where = std::string(isa_name(k.isa)) + " c" + std::to_string(k.kr) +
                            (by_rows ? " rows " : " columns ") + std::to_string(depth) + " x " +
                            std::to_string(columns);
  EXPECT(got.intact() && sums.intact());
  EXPECT_SAME(got.data(), want.data(), depth / k.kr * group, where);
  EXPECT_SAME(sums.data(), expected.data(), columns, where + " sums");
}

}  // namespace

TEST(qpack_blocks) {
  const QPackKernel* const all[] = {
#define OCTAVO_KERNEL(isa, symbol) &symbol,
#include "kernels/qpack/kernels.inc"
#undef OCTAVO_KERNEL
      nullptr};
  for (const QPackKernel* k : all) {
    if (k == nullptr || !isa_supported(k->isa)) continue;
    for (size_t groups : {1, 2, 3, 4, 5, 9, 70, 300})
      for (size_t vectors : {1, 2, 3})
        for (const bool by_rows : {false, true})
          for (const uint8_t flip : {uint8_t{0}, uint8_t{0x80}})
            check(*k, groups * k->kr, vectors * k->width, by_rows, flip);
  }
}

}  // namespace octavo
