#include "engine/packed_store.h"

#include <cstdio>
#include <vector>

#include "engine/constant_bytes.h"
#include "test/check.h"

namespace octavo {
namespace {

bool overlap(const std::vector<std::pair<uint8_t*, size_t>>& taken) {
  for (size_t i = 0; i < taken.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (taken[i].first < taken[j].first + taken[j].second && taken[j].first < taken[i].first + taken[i].second) return true;
  return false;
}

}  // namespace

TEST(packed_store_takes_aligned_blocks_with_zeros_behind) {
  // Small models, one whose expectation holds everything, one that needs more than was expected.
  for (size_t expected : {size_t{0}, size_t{100}, 5 * kHugePage, kHugePage}) {
    PackedStore store(expected);
    std::vector<std::pair<uint8_t*, size_t>> taken;
    for (size_t bytes : {size_t{1}, size_t{0}, size_t{64}, size_t{4097}, kHugePage + 3, size_t{100000}, kHugePage / 2, size_t{7}, 3 * kHugePage}) {
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

// What one constant leaves behind holds the next: never more of it than the next one has.
TEST(constants_read_from_a_file_share_memory_one_after_the_other) {
  std::FILE* const file = std::tmpfile();
  EXPECT(file != nullptr);
  if (file == nullptr) return;
  std::vector<uint8_t> bytes(700000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 31 + i / 251);
  EXPECT_EQ(std::fwrite(bytes.data(), 1, bytes.size(), file), bytes.size());
  std::fflush(file);
  std::vector<Buffer> buffers;
  for (const auto& [offset, size] : std::vector<std::pair<size_t, size_t>>{{0, 300000}, {300000, 100000}, {400000, 10}, {400010, 299990}}) {
    Buffer b;
    b.file = fileno(file);
    b.offset = offset;
    b.size = size;
    buffers.push_back(b);
  }
  ConstantBytes constants(buffers);
  const auto expect = [&](int32_t i, const uint8_t* data) {
    const Buffer& b = buffers[static_cast<size_t>(i)];
    EXPECT_SAME(data, bytes.data() + b.offset, b.size, "constant " + std::to_string(i));
  };
  const uint8_t *first = nullptr, *second = nullptr, *third = nullptr;
  EXPECT(constants.open(0, &first).ok());
  expect(0, first);
  constants.drop(0);
  constants.drop(0);
  EXPECT(constants.open(1, &second).ok());
  EXPECT(second == first);
  expect(1, second);
  EXPECT(constants.open(2, &third).ok());
  expect(2, third);
  std::shared_ptr<const Memory> kept;
  EXPECT(constants.keep(1, &kept).ok());
  EXPECT_EQ(kept->size(), size_t{100000});
  constants.drop(1);
  EXPECT(constants.open(1, &second).ok());
  EXPECT(second != kept->data());
  EXPECT(constants.open(3, &first).ok());
  expect(3, first);
  expect(1, kept->data());
  expect(2, third);
  std::fclose(file);
}

}  // namespace octavo
