#include "engine/constant_bytes.h"

#include <cstdio>
#include <vector>

#include "test/check.h"

namespace octavo {

// The buffer of one constant is used for the next, which sees its own bytes and no more.
TEST(constants_read_from_a_file_share_memory_one_after_the_other) {
  std::FILE* const file = std::tmpfile();
  EXPECT(file != nullptr);
  if (file == nullptr) return;
  std::vector<uint8_t> bytes(700000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 31 + i / 251);
  EXPECT_EQ(std::fwrite(bytes.data(), 1, bytes.size(), file), bytes.size());
  std::fflush(file);
  std::vector<Buffer> buffers;
  for (const auto& [offset, size] :
       std::vector<std::pair<size_t, size_t>>{{0, 300000}, {300000, 100000}, {400000, 10}, {400010, 299990}}) {
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
