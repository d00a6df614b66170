// Levels of every format: what is written is read, and neighbours in a byte stay.
#include "engine/format.h"

#include <vector>

#include "ops/support/unpack_levels.h"
#include "test/check.h"

namespace octavo::test {
namespace {

constexpr DType kTypes[] = {DType::kUint8, DType::kInt8,  DType::kUint16, DType::kInt16, DType::kUint4,
                            DType::kInt4,  DType::kUint2, DType::kInt2,   DType::kUint1};

}  // namespace

TEST(levels_of_every_format_are_read_as_they_were_written) {
  for (const DType type : kTypes) {
    EXPECT(is_quantized_format(type));
    const Format f = format_of(type);
    EXPECT_EQ(f.levels(), 1 << f.bits);
    std::vector<int32_t> levels;
    for (int32_t v = f.low; v <= f.high; v += f.bits == 16 ? 255 : 1) levels.push_back(v);
    levels.push_back(f.high);
    levels.insert(levels.end(), levels.rbegin(), levels.rend());
    std::vector<uint8_t> data(levels.size() * 2, 0xAA);
    for (size_t i = 0; i < levels.size(); ++i) set_level(data.data(), i, f, levels[i]);
    for (size_t i = 0; i < levels.size(); ++i) EXPECT_EQ(level_at(data.data(), i, f), levels[i]);
  }
  const Format int4 = format_of(DType::kInt4);
  EXPECT_EQ(int4.low, -8);
  EXPECT_EQ(int4.high, 7);
  const std::vector<uint8_t> packed = {0x8F, 0};
  EXPECT_EQ(level_at(packed.data(), 0, int4), -1);  // the first element in the low half
  EXPECT_EQ(level_at(packed.data(), 1, int4), -8);
}

TEST(levels_are_unpacked_from_any_element_on) {
  Random random(3);
  for (const DType type : kTypes) {
    const Format f = format_of(type);
    if (f.bits > 8) continue;
    std::vector<uint8_t> data(40);
    for (uint8_t& b : data) b = static_cast<uint8_t>(random.next());
    for (size_t first = 0; first < 9; ++first)
      for (size_t count = 0; count < 20; ++count) {
        std::vector<uint8_t> got(count + 1, 0x55), want(count + 1, 0x55);
        unpack_levels(data.data(), first, count, f, got.data());
        for (size_t i = 0; i < count; ++i) want[i] = static_cast<uint8_t>(level_at(data.data(), first + i, f));
        EXPECT_SAME(got.data(), want.data(), count + 1, dtype_name(type));
      }
  }
}

}  // namespace octavo::test
