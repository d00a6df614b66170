// Every kernel against the definition, over odd sizes, with and without operands that are 0.
#include "kernels/bitgemm/bitgemm.h"

#include <vector>

#include "cpu/isa.h"
#include "test/check.h"

namespace octavo {

#define OCTAVO_TABLE BitKernel
#define OCTAVO_TABLES "kernels/bitgemm/kernels.inc"
#include "kernels/tables.inc"

namespace {

bool runs(const BitKernel& kernel) {
  return isa_supported(kernel.isa) && (kernel.runs_here == nullptr || kernel.runs_here());
}

struct Case {
  size_t taps, words;
};

constexpr Case kCases[] = {{1, 1}, {1, 31}, {1, 32}, {9, 4}, {4, 8}, {9, 7}, {1, 0}, {3, 63}};

int32_t set_bits(uint32_t word) {
  int32_t count = 0;
  for (; word != 0; word &= word - 1) ++count;
  return count;
}

}  // namespace

TEST(bitgemm_every_kernel_counts_as_the_definition) {
  for (const BitKernel* each : kTables) {
    const BitKernel& kernel = *each;
    if (!runs(kernel)) continue;
    const size_t mr = static_cast<size_t>(kernel.mr), nr = static_cast<size_t>(kernel.nr);
    EXPECT(mr <= kBitMaxRows && nr <= kBitMaxColumns);
    for (const Case& c : kCases) {
      test::Random random(c.taps * 100 + c.words);
      std::vector<uint32_t> a(c.taps * mr * c.words + 1), m(a.size()), w(c.taps * c.words * nr + 1);
      // All operands at once differ in the first case of all: what overflows first.
      for (uint32_t& word : a) word = c.words == 63 ? ~0u : static_cast<uint32_t>(random.next());
      for (uint32_t& word : w) word = c.words == 63 ? 0u : static_cast<uint32_t>(random.next());
      for (uint32_t& word : m) word = static_cast<uint32_t>(random.next());
      std::vector<const uint32_t*> rows(c.taps * mr), masks(c.taps * mr);
      for (size_t i = 0; i < rows.size(); ++i) rows[i] = a.data() + i * c.words, masks[i] = m.data() + i * c.words;
      for (const bool masked : {false, true}) {
        std::vector<int32_t> got(mr * nr, -1), want(mr * nr, 0), bias(nr), present(mr);
        for (size_t n = 0; n < nr; ++n) bias[n] = static_cast<int32_t>(n * n) - 50;
        for (size_t r = 0; r < mr; ++r) present[r] = static_cast<int32_t>(1000 * r);
        for (size_t t = 0; t < c.taps; ++t)
          for (size_t i = 0; i < c.words; ++i)
            for (size_t r = 0; r < mr; ++r)
              for (size_t n = 0; n < nr; ++n)
                want[r * nr + n] -= 2 * set_bits((rows[t * mr + r][i] ^ w[(t * c.words + i) * nr + n]) &
                                                 (masked ? masks[t * mr + r][i] : ~0u));
        for (size_t i = 0; i < want.size(); ++i) want[i] += bias[i % nr] + present[i / nr];
        kernel.run({rows.data(), masked ? masks.data() : nullptr, c.taps, c.words, w.data(), bias.data(),
                    present.data(), got.data()});
        EXPECT_SAME(got.data(), want.data(), mr * nr, kernel.name);
      }
    }
  }
}

TEST(bitgemm_every_kernel_packs_signs) {
  for (const BitKernel* each : kTables) {
    if (!runs(*each)) continue;
    for (size_t count : {0, 1, 31, 32, 33, 64, 100, 129})
      for (int zero : {-128, -1, 0, 5, 127})
        for (bool is_signed : {false, true}) {
          const size_t rows = 3, stride = count + 5, words = bit_words(count) + 1;
          test::Random random(count);
          std::vector<uint8_t> x(rows * stride + 1);
          const uint8_t level = static_cast<uint8_t>(is_signed ? zero : zero + 128);
          for (uint8_t& v : x) v = static_cast<uint8_t>(random.next() >> 40);
          for (size_t i = 0; i < x.size(); i += 3) x[i] = level;
          std::vector<uint32_t> positive(rows * words, 7), nonzero(rows * words, 7), up(positive), other(nonzero);
          std::vector<int32_t> present(rows), sums(rows), some(rows), net(rows);
          for (size_t r = 0; r < rows; ++r) {
            for (size_t i = 0; i < bit_words(count); ++i) up[r * words + i] = other[r * words + i] = 0;
            for (size_t i = 0; i < count; ++i) {
              const uint8_t byte = x[r * stride + i];
              const int v = is_signed ? static_cast<int8_t>(byte) : byte, z = is_signed ? zero : zero + 128;
              up[r * words + i / 32] |= static_cast<uint32_t>(v > z) << (i % 32);
              other[r * words + i / 32] |= static_cast<uint32_t>(v != z) << (i % 32);
              some[r] += v != z, net[r] += (v > z) - (v < z);
            }
          }
          const uint8_t flip = is_signed ? 0x80 : 0;
          each->pack({x.data(), stride, rows, count, flip, static_cast<uint8_t>(level ^ flip), words, positive.data(),
                      nonzero.data(), present.data(), sums.data()});
          EXPECT_SAME(positive.data(), up.data(), up.size(), each->name);
          EXPECT_SAME(nonzero.data(), other.data(), other.size(), each->name);
          EXPECT_SAME(present.data(), some.data(), rows, each->name);
          EXPECT_SAME(sums.data(), net.data(), rows, each->name);
        }
  }
}

}  // namespace octavo
