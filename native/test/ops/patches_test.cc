// Patches beside its definition, over one to three spatial axes.
#include "test/op_fixture.h"

using namespace octavo;
using namespace octavo::test;

namespace {

struct Window {
  std::vector<int64_t> x;  // [N, s..., C]
  std::vector<int64_t> kernel, strides, dilations, pads;
};

void check(const Window& w) {
  const size_t spatial = w.kernel.size();
  std::vector<int64_t> out = {w.x[0]};
  int64_t taps = 1;
  for (size_t i = 0; i < spatial; ++i) {
    const int64_t reach = w.dilations[i] * (w.kernel[i] - 1) + 1;
    out.push_back((w.x[1 + i] + w.pads[i] + w.pads[spatial + i] - reach) / w.strides[i] + 1);
    taps *= w.kernel[i];
  }
  const int64_t channels = w.x.back();
  out.push_back(channels * taps);
  std::vector<float> x;
  int64_t count = 1, made = 1;
  for (int64_t d : w.x) count *= d;
  for (int64_t d : out) made *= d;
  for (int64_t i = 0; i < count; ++i) x.push_back(static_cast<float>(i + 1));

  OpFixture o("Patches");
  o.input<float>(w.x, x).output<float>(out);
  o.set_integers("kernel", w.kernel).set_integers("strides", w.strides);
  o.set_integers("dilations", w.dilations).set_integers("pads", w.pads);
  EXPECT_OK(o.run());

  std::vector<float> want;
  for (int64_t i = 0; i < made; ++i) {
    int64_t left = i / out.back(), tap = i % out.back() % taps, from = 0, scale = 1;
    const int64_t channel = i % out.back() / taps;
    bool inside = true;
    std::vector<int64_t> at(spatial);
    for (size_t d = spatial; d-- > 0;) {
      const int64_t o_at = left % out[1 + d], k_at = tap % w.kernel[d];
      left /= out[1 + d];
      tap /= w.kernel[d];
      at[d] = o_at * w.strides[d] + k_at * w.dilations[d] - w.pads[d];
      inside = inside && at[d] >= 0 && at[d] < w.x[1 + d];
    }
    for (size_t d = spatial; d-- > 0;) {
      from += at[d] * scale;
      scale *= w.x[1 + d];
    }
    from += left * scale;
    want.push_back(inside ? x[static_cast<size_t>(from * channels + channel)] : 0.0f);
  }
  EXPECT_SAME(o.out<float>(0), want.data(), want.size(), "patches");
}

}  // namespace

TEST(patches_of_one_to_three_axes) {
  check({{2, 9, 3}, {3}, {1}, {2}, {1, 0}});
  check({{1, 5, 6, 4}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}});
  check({{2, 7, 5, 1}, {2, 3}, {2, 1}, {1, 2}, {0, 2, 1, 1}});
  check({{1, 4, 3, 5, 2}, {2, 1, 3}, {1, 2, 2}, {1, 1, 1}, {1, 0, 0, 0, 0, 1}});
}

TEST(patches_refuse_what_does_not_fit) {
  const auto attempt = [](std::vector<int64_t> out, std::vector<int64_t> kernel) {
    OpFixture o("Patches");
    o.input<float>({1, 4, 4, 2}, std::vector<float>(32)).output<float>(out).set_integers("kernel", kernel);
    return o.run();
  };
  EXPECT_OK(attempt({1, 2, 2, 18}, {3, 3}));
  EXPECT_CODE(attempt({1, 2, 2, 9}, {3, 3}), Code::kShape);
  EXPECT_CODE(attempt({1, 3, 2, 18}, {3, 3}), Code::kShape);
  EXPECT_CODE(attempt({1, 2, 2, 18}, {3}), Code::kInvalidPlan);
  EXPECT_CODE(attempt({4, 4, 18}, {3, 3}), Code::kInvalidPlan);
}
