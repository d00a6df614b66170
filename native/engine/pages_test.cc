#include "engine/pages.h"

#include <cstring>
#include <vector>

#include "test/check.h"

namespace octavo {

TEST(pages_begin_at_huge_ones) {
  for (size_t bytes : {size_t{1}, kHugePage - 1, kHugePage, 3 * kHugePage + 1}) {
    Pages pages;
    EXPECT(pages.allocate(bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(pages.data()) % kHugePage, size_t{0});
    EXPECT(pages.size() >= bytes);
    pages.data()[pages.size() - 1] = 1;
    Pages other = std::move(pages);
    EXPECT(pages.data() == nullptr);
    EXPECT_EQ(other.data()[other.size() - 1], 1);
  }
  Pages first, again, larger;
  EXPECT(first.allocate(6 * kHugePage));
  const uint8_t* const block = first.data();
  first.release();
  EXPECT(larger.allocate(7 * kHugePage));
  EXPECT(larger.data() != block);
  EXPECT(again.allocate(6 * kHugePage - 100));  // what was released last is at hand
  EXPECT_EQ(again.size(), 6 * kHugePage);
  std::memset(again.data(), 1, again.size());
  // More than stays at hand, in number and in bytes.
  std::vector<Pages> many(40);
  for (size_t i = 0; i < many.size(); ++i) EXPECT(many[i].allocate(kHugePage * (1 + i % 5)));
  many.clear();
  Pages huge;
  EXPECT(huge.allocate(40 * kHugePage));
  huge.data()[huge.size() - 1] = 1;
  huge.release();
  Pages none;
  EXPECT(!none.allocate(0));
  EXPECT(!none.allocate(SIZE_MAX));
}

}  // namespace octavo
