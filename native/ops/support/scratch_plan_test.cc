// Arrays of a scratch plan lie one after the other, aligned, and an overflow is remembered.
#include "ops/support/scratch_plan.h"

#include "ops/support/rounding.h"
#include "test/check.h"

namespace octavo::test {

TEST(scratch_plan_hands_out_arrays_that_do_not_overlap) {
  alignas(64) uint8_t block[1024];
  ScratchPlan plan;
  const ScratchArray<uint8_t> bytes = plan.add<uint8_t>(3, 62);
  const ScratchArray<int32_t> words = plan.add<int32_t>(17);
  const ScratchArray<uint8_t> none = plan.add<uint8_t>(0);
  const ScratchArray<float> floats = plan.add<float>(1);
  EXPECT(plan.fits());
  EXPECT_EQ(bytes.in(block)-block, 0);
  EXPECT_EQ(reinterpret_cast<uint8_t*>(words.in(block)) - block, 128);
  EXPECT_EQ(none.in(block)-block, 256);
  EXPECT_EQ(reinterpret_cast<uint8_t*>(floats.in(block)) - block, 256);
  EXPECT_EQ(plan.bytes(), size_t{320});
}

TEST(scratch_plan_remembers_an_overflow) {
  for (const size_t count : {SIZE_MAX, SIZE_MAX / 4 + 1, static_cast<size_t>(PTRDIFF_MAX) / 4}) {
    ScratchPlan plan;
    static_cast<void>(plan.add<int32_t>(count));
    EXPECT(!plan.fits());
    static_cast<void>(plan.add<int32_t>(1));
    EXPECT(!plan.fits());
  }
  ScratchPlan slack;
  static_cast<void>(slack.add<uint8_t>(8, SIZE_MAX));
  EXPECT(!slack.fits());
  ScratchPlan sum;
  for (int i = 0; i < 4; ++i) static_cast<void>(sum.add<uint8_t>(PTRDIFF_MAX / 8));
  EXPECT(!sum.fits());
}

TEST(sizes_in_whole_units) {
  EXPECT_EQ(round_up(0, 64), size_t{0});
  EXPECT_EQ(round_up(64, 64), size_t{64});
  EXPECT_EQ(round_up(65, 64), size_t{128});
  EXPECT_EQ(divide_up(7, 3), int64_t{3});
  EXPECT_EQ(divide_up(0, 3), int64_t{0});
}

}  // namespace octavo::test
