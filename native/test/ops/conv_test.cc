#include <cmath>

#include "test/op_fixture.h"
#include "test/ops/reference_conv.h"

using namespace octavo;
using namespace octavo::test;

namespace {

std::vector<float> reals(Random& random, int64_t count) {
  std::vector<float> v(static_cast<size_t>(count));
  for (float& f : v) f = random.real(-1, 1);
  return v;
}

void check(const ConvCase& c, bool transposed, bool with_bias, bool with_residual, bool constant, const char* fn) {
  Random random(static_cast<uint64_t>(c.channels * 100 + c.filters));
  const int64_t taps = product(c.kernel);
  const std::vector<float> x = reals(random, c.batch * product(c.in) * c.channels),
                           w = reals(random, c.channels * c.filters / c.group * taps);
  const std::vector<float> bias = reals(random, with_bias ? c.filters : 0);
  std::vector<int64_t> x_dims = {c.batch}, y_dims = {c.batch},
                       w_dims = {transposed ? c.channels : c.filters, (transposed ? c.filters : c.channels) / c.group};
  for (int64_t d : c.in) x_dims.push_back(d);
  for (int64_t d : c.out(transposed)) y_dims.push_back(d);
  for (int64_t d : c.kernel) w_dims.push_back(d);
  x_dims.push_back(c.channels);
  y_dims.push_back(c.filters);
  const std::vector<float> residual = reals(random, product(y_dims));

  OpFixture f(transposed ? "ConvTranspose" : "Conv");
  f.input(x_dims, x);
  if (constant) f.constant(w_dims, w);
  else f.input(w_dims, w);
  if (with_bias) f.constant({c.filters}, bias);
  else f.absent();
  if (with_residual) f.input(y_dims, residual);
  f.output<float>(y_dims)
      .set_integers("strides", c.strides)
      .set_integers("pads", c.pads)
      .set_integers("dilations", c.dilations)
      .set_integer("group", c.group);
  f.set_text("fn", fn).set_number("lo", -0.25f).set_number("hi", 0.5f);
  EXPECT_OK(f.run());

  std::vector<double> want = reference_conv(c, transposed, x, w, bias);
  const double tolerance = 1e-6 * static_cast<double>(10 + c.channels / c.group * taps);
  for (size_t i = 0; i < want.size(); ++i) {
    if (with_residual) want[i] += residual[i];
    if (fn[0] == 'r') want[i] = std::max(0.0, want[i]);
    if (fn[0] == 'c') want[i] = std::min(0.5, std::max(-0.25, want[i]));
    const bool close = std::fabs(f.out<float>(0)[i] - want[i]) <= tolerance;
    EXPECT(close);
    if (!close) return;
  }
  // The same bits whatever the threads.
  const std::vector<float> first = f.values<float>(0);
  f.set_threads(1);
  EXPECT_OK(f.run());
  EXPECT_SAME(f.out<float>(0), first.data(), first.size(), "one thread");
}

void check_all(const ConvCase& c) {
  check(c, false, true, true, true, "relu");
  check(c, false, false, false, false, "clip");
  check(c, true, true, false, true, "none");
  check(c, true, false, false, false, "none");
}

}  // namespace

TEST(conv_of_two_dimensions) {
  check_all({2, 16, 40, 1, {7, 9}, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, {}});
  check_all({1, 3, 33, 1, {11, 10}, {5, 3}, {2, 2}, {2, 1, 1, 0}, {1, 1}, {}});
  check_all({1, 20, 17, 1, {6, 6}, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, {}});
  check_all({1, 12, 8, 4, {6, 8}, {2, 3}, {1, 2}, {0, 1, 1, 1}, {2, 1}, {}});
  check_all({1, 24, 48, 2, {5, 5}, {3, 3}, {3, 2}, {1, 0, 2, 1}, {1, 2}, {}});
}

TEST(conv_windows_in_the_padding_alone) {
  check({1, 3, 33, 1, {6, 6}, {2, 2}, {1, 1}, {5, 5, 4, 6}, {1, 1}, {}}, false, true, true, true, "relu");
  check({1, 40, 33, 1, {6, 6}, {2, 2}, {1, 1}, {5, 5, 4, 6}, {1, 1}, {}}, false, true, true, true, "relu");
}

TEST(conv_of_pixels_4_kib_apart) {
  check_all({1, 1024, 70, 1, {5, 6}, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, {}});
  check_all({2, 256, 40, 2, {9, 10}, {3, 3}, {2, 4}, {1, 1, 1, 1}, {1, 1}, {}});
}

TEST(conv_depthwise) {
  check_all({2, 37, 37, 37, {8, 7}, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, {}});
  check_all({1, 64, 64, 64, {9, 9}, {5, 5}, {2, 2}, {2, 2, 2, 2}, {1, 1}, {}});
  check_all({1, 6, 12, 6, {9, 9}, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, {}});
}

TEST(conv_of_one_and_three_dimensions) {
  check_all({2, 5, 9, 1, {13}, {4}, {2}, {1, 2}, {1}, {}});
  check_all({1, 5, 9, 1, {4, 5, 6}, {2, 3, 2}, {1, 2, 1}, {0, 1, 1, 1, 0, 0}, {1, 1, 2}, {}});
}

TEST(conv_of_a_long_kernel) { check_all({1, 3, 5, 1, {610}, {600}, {1}, {0, 0}, {1}, {}}); }

TEST(conv_transpose_longer_than_its_windows) {
  check({1, 9, 6, 1, {4, 5}, {3, 3}, {2, 3}, {1, 0, 1, 0}, {1, 1}, {1, 2}}, true, true, false, true, "none");
  check({1, 9, 6, 3, {4, 5}, {2, 2}, {4, 4}, {0, 0, 0, 0}, {1, 1}, {3, 1}}, true, true, false, true, "none");
}

TEST(conv_negative_pads) {
  check({1, 9, 6, 1, {8, 9}, {3, 3}, {1, 2}, {-1, -2, 0, -1}, {1, 1}, {}}, false, true, false, true, "none");
}

TEST(conv_rejects_what_does_not_fit) {
  const std::vector<float> x(2 * 4 * 4), w(3 * 2 * 9), y(3 * 16);
  OpFixture f("Conv");
  f.input({1, 4, 4, 2}, x).constant({3, 2, 3, 3}, w).output<float>({1, 3, 4, 3}).set_integers("pads", {1, 1, 1, 1});
  EXPECT_CODE(f.run(), Code::kShape);
  OpFixture g("Conv");
  g.input({1, 4, 4, 2}, x)
      .constant({3, 2, 3, 3}, w)
      .output<float>({1, 4, 4, 3})
      .set_integers("pads", {1, 1, 1, 1})
      .set_integers("strides", {0, 1});
  EXPECT_CODE(g.run(), Code::kShape);
}
