#include "engine/packed_store.h"

#include <vector>

#include "test/check.h"

namespace octavo {
namespace {

bool overlap(const std::vector<std::pair<uint8_t*, size_t>>& taken) {
  for (size_t i = 0; i < taken.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (taken[i].first < taken[j].first + taken[j].second && taken[j].first < taken[i].first + taken[i].second)
        return true;
  return false;
}

}  // namespace

TEST(packed_store_takes_aligned_blocks_with_zeros_behind) {
  // Small models, one whose expectation holds everything, one that needs more than was expected.
  for (size_t expected : {size_t{0}, size_t{100}, 5 * kHugePage, kHugePage}) {
    PackedStore store(expected);
    std::vector<std::pair<uint8_t*, size_t>> taken;
    for (size_t bytes : {size_t{1}, size_t{0}, size_t{64}, size_t{4097}, kHugePage + 3, size_t{100000}, kHugePage / 2,
                         size_t{7}, 3 * kHugePage}) {
      uint8_t* const memory = store.take(bytes);
      EXPECT(memory != nullptr);
      if (memory == nullptr) return;
      EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % kAlignment, size_t{0});
      for (size_t i = 0; i < kReadSlack; ++i) EXPECT_EQ(memory[bytes + i], 0);
      std::memset(memory, 0x5a, bytes);
      taken.emplace_back(memory, bytes + kReadSlack);
    }
    EXPECT(!overlap(taken));
    for (const auto& [memory, bytes] : taken)
      for (size_t i = bytes - kReadSlack; i < bytes; ++i) EXPECT_EQ(memory[i], 0);
  }
}

TEST(packed_store_says_no_to_what_no_machine_has) {
  PackedStore store(0);
  EXPECT(store.take(SIZE_MAX) == nullptr);
  EXPECT(store.take(static_cast<size_t>(PTRDIFF_MAX)) == nullptr);
  EXPECT(store.take(10) != nullptr);
}

TEST(packed_store_whose_expectation_is_refused_takes_what_is_asked) {
  PackedStore store(static_cast<size_t>(PTRDIFF_MAX) / 2);
  EXPECT(store.take(10) != nullptr);
  EXPECT(store.take(kHugePage) != nullptr);
}

}  // namespace octavo
