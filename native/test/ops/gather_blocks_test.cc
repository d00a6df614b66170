// GatherBlocks over every type of levels, axis and layout of scales, beside the sum that states it.
#include "engine/format.h"
#include "ops/support/half.h"
#include "test/op_fixture.h"

using namespace octavo;
using namespace octavo::test;

namespace {

struct Picked {
  std::vector<int64_t> x;
  int axis, quantize_axis;
  int64_t block_size;
  std::vector<int64_t> indices;
};

int64_t count_of(const std::vector<int64_t>& dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}

// Levels without a pattern, packed.
std::vector<uint8_t> levels(int64_t count, const Format& f, uint32_t seed) {
  std::vector<uint8_t> bytes(static_cast<size_t>((count * f.bits + 7) / 8));
  for (int64_t i = 0; i < count; ++i) {
    seed = seed * 1664525 + 1013904223;
    set_level(bytes.data(), static_cast<size_t>(i), f,
              f.low + static_cast<int32_t>((seed >> 16) % static_cast<uint32_t>(f.levels())));
  }
  return bytes;
}

struct Variant {
  DType type;
  bool zero_points, half;
  int64_t padding;  // levels more in a row of zero points than in one of scales
};

void check(const Picked& k, const Variant& v) {
  const Format f = format_of(v.type);
  const size_t q = static_cast<size_t>(k.quantize_axis), a = static_cast<size_t>(k.axis), last = k.x.size() - 1;
  std::vector<int64_t> scale_dims = k.x;
  scale_dims[q] = (k.x[q] + k.block_size - 1) / k.block_size;
  std::vector<int64_t> zero_dims = scale_dims;
  zero_dims[last] += v.padding;
  const auto x = levels(count_of(k.x), f, 7), zero = levels(count_of(zero_dims), f, 11);
  std::vector<float> scale(static_cast<size_t>(count_of(scale_dims)));
  std::vector<uint16_t> halves;
  for (size_t i = 0; i < scale.size(); ++i) {
    scale[i] = static_cast<float>(static_cast<int>(i % 13) - 6) / 64.0f;  // negative ones and 0 as well
    halves.push_back(ops::Float16::from(scale[i]).bits);
  }
  std::vector<int64_t> out(k.x.begin(), k.x.begin() + k.axis);
  out.push_back(static_cast<int64_t>(k.indices.size()));
  out.insert(out.end(), k.x.begin() + k.axis + 1, k.x.end());

  OpFixture o("GatherBlocks");
  o.input(v.type, k.x, x.data(), x.size(), true);
  if (v.half) o.input(DType::kFloat16, scale_dims, halves.data(), halves.size() * 2, true);
  else o.constant<float>(scale_dims, scale);
  if (v.zero_points) o.input(v.type, zero_dims, zero.data(), zero.size(), true);
  else o.absent();
  o.input<int64_t>({static_cast<int64_t>(k.indices.size())}, k.indices).output<float>(out);
  o.set_integer("axis", k.axis).set_integer("quantize_axis", k.quantize_axis).set_integer("block_size", k.block_size);
  EXPECT_OK(o.run());

  std::vector<float> want(static_cast<size_t>(count_of(out)));
  for (int64_t i = 0; i < count_of(out); ++i) {
    int64_t left = i, from = 0, scale_at = 0, zero_at = 0;
    std::vector<int64_t> at(out.size());
    for (size_t d = out.size(); d-- > 0; left /= out[d]) at[d] = left % out[d];
    const int64_t picked = k.indices[static_cast<size_t>(at[a])];
    at[a] = picked < 0 ? picked + k.x[a] : picked;
    for (size_t d = 0; d < at.size(); ++d) {
      const int64_t in_scale = d == q ? at[d] / k.block_size : at[d];
      from = from * k.x[d] + at[d];
      scale_at = scale_at * scale_dims[d] + in_scale;
      zero_at = zero_at * zero_dims[d] + in_scale;
    }
    const int32_t level = level_at(x.data(), static_cast<size_t>(from), f);
    const int32_t zp = v.zero_points ? level_at(zero.data(), static_cast<size_t>(zero_at), f) : 0;
    want[static_cast<size_t>(i)] = static_cast<float>(level - zp) * scale[static_cast<size_t>(scale_at)];
  }
  EXPECT_SAME(o.out<float>(0), want.data(), want.size(), "GatherBlocks");
}

}  // namespace

TEST(gather_blocks_equals_its_definition) {
  const Picked cases[] = {
      {{5, 64}, 0, 1, 16, {0, 4, -1, 2, 2}},
      {{5, 70}, 0, 1, 32, {3, 0, -5}},
      {{7, 33}, 0, 1, 33, {6, 1}},
      {{6, 300}, 0, 1, 300, {5, 0}},
      {{40, 6}, 0, 0, 16, {39, 0, 17}},
      {{4, 50}, 1, 0, 2, {49, 3, -50}},
      {{4, 50}, 1, 1, 16, {49, 3, 16}},
      {{3, 5, 20}, 1, 2, 16, {4, 4, 0}},
      {{3, 20, 5}, 0, 1, 16, {2, 0}},
      {{20, 3, 5}, 1, 0, 16, {2, 0, -1}},
      {{3, 5, 20}, 2, 2, 16, {19, 0, 1, 15}},
      {{17}, 0, 0, 16, {16, 0, 3}},
      {{2, 3, 600}, 0, 2, 512, {1}},
      {{4, 32}, 0, 1, 16, {}},
  };
  for (const Picked& k : cases) {
    for (DType type : {DType::kInt4, DType::kUint4, DType::kInt2, DType::kUint2, DType::kInt8, DType::kUint8}) {
      check(k, {type, false, false, 0});
      check(k, {type, true, false, 0});
      check(k, {type, true, true, 0});
      if (k.quantize_axis == static_cast<int>(k.x.size()) - 1) check(k, {type, true, false, 3});
    }
  }
}

TEST(gather_blocks_refuses_what_does_not_fit) {
  const std::vector<uint8_t> x(64);
  const auto gather = [&](std::vector<int64_t> scale, int64_t block_size, int64_t quantize_axis, int64_t index) {
    OpFixture o("GatherBlocks");
    const std::vector<float> scales(static_cast<size_t>(count_of(scale)), 1.0f);
    o.input(DType::kUint4, {4, 32}, x.data(), x.size(), true).constant<float>(scale, scales).absent();
    o.input<int64_t>({1}, {index}).output<float>({1, 32});
    o.set_integer("quantize_axis", quantize_axis).set_integer("block_size", block_size);
    return o.run();
  };
  EXPECT_OK(gather({4, 2}, 16, 1, 3));
  EXPECT_CODE(gather({4, 3}, 16, 1, 0), Code::kShape);
  EXPECT_CODE(gather({2, 4}, 16, 1, 0), Code::kShape);
  EXPECT_CODE(gather({4, 2}, 0, 1, 0), Code::kInvalidPlan);
  EXPECT_CODE(gather({4, 2}, -16, 1, 0), Code::kInvalidPlan);
  EXPECT_CODE(gather({4, 2}, 16, 2, 0), Code::kInvalidPlan);
  EXPECT_CODE(gather({4, 2}, 16, 1, 4), Code::kData);
  EXPECT_CODE(gather({4, 2}, 16, 1, -5), Code::kData);
}
