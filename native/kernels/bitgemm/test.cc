// Every kernel against the definition, over odd sizes, with and without operands that are 0.
#include "kernels/bitgemm/bitgemm.h"

#include <vector>

#include "cpu/isa.h"
#include "test/check.h"

namespace octavo {
namespace {

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
  size_t count = 0;
  const BitKernel* const* kernels = bit_kernels(&count);
  for (size_t which = 0; which < count; ++which) {
    const BitKernel& kernel = *kernels[which];
    if (!isa_supported(kernel.isa) || (kernel.runs_here && !kernel.runs_here())) continue;
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
        std::vector<int32_t> got(mr * nr, -1), want(mr * nr, 0);
        for (size_t t = 0; t < c.taps; ++t)
          for (size_t i = 0; i < c.words; ++i)
            for (size_t r = 0; r < mr; ++r)
              for (size_t n = 0; n < nr; ++n)
                want[r * nr + n] += set_bits((rows[t * mr + r][i] ^ w[(t * c.words + i) * nr + n]) &
                                             (masked ? masks[t * mr + r][i] : ~0u));
        kernel.run({rows.data(), masked ? masks.data() : nullptr, c.taps, c.words, w.data(), got.data()});
        EXPECT_SAME(got.data(), want.data(), mr * nr, kernel.name);
      }
    }
  }
}

}  // namespace octavo
