// Scale search and rounding of weights against the plain loops of their definition, bit for bit; channels first, last
// and in the middle, one channel, and any number of threads.
#include <cmath>
#include <limits>

#include "test/op_fixture.h"

namespace octavo::test {
namespace {

struct Case {
  std::vector<int64_t> dims;
  int64_t axis;
};

const std::vector<Case> kCases = {{{5, 3, 3, 3}, 0}, {{37, 19}, 1}, {{4, 20, 7}, 1},
                                  {{6, 50}, -1},     {{1, 1}, 0},   {{3, 33}, 1}};

int64_t elements(const std::vector<int64_t>& dims) {
  int64_t n = 1;
  for (const int64_t d : dims) n *= d;
  return n;
}

// Elements of every channel in order.
std::vector<std::vector<float>> channels_of(const Case& c, const std::vector<float>& x) {
  if (c.axis < 0) return {x};
  const size_t a = static_cast<size_t>(c.axis);
  size_t inner = 1;
  for (size_t i = a + 1; i < c.dims.size(); ++i) inner *= static_cast<size_t>(c.dims[i]);
  const size_t n = static_cast<size_t>(c.dims[a]);
  std::vector<std::vector<float>> channels(n);
  for (size_t i = 0; i < x.size(); ++i) channels[i / inner % n].push_back(x[i]);
  return channels;
}

std::vector<float> weights_for(const Case& c) {
  Random random(static_cast<uint64_t>(elements(c.dims)));
  std::vector<float> x(static_cast<size_t>(elements(c.dims)));
  for (float& v : x) {
    // Mostly near zero, so that shares of the magnitude differ.
    const float u = random.real(-1, 1);
    v = u * u * u;
  }
  return x;
}

double error_at(const std::vector<float>& x, double scale, double low, double high) {
  double sum = 0;
  for (const float v : x) {
    const double scaled = v * (1 / scale);
    const double d = scaled - std::nearbyint(std::fmin(high, std::fmax(low, scaled)));
    sum += d * d;
  }
  return sum * scale * scale;
}

double reach_of(const std::vector<float>& x, double low, double high, bool least_squares) {
  double largest = 0;
  for (const float v : x) {
    // Not fmax: GCC 12 for arm64 cannot vectorize a reduction by it, and fails.
    const double magnitude = v < 0 ? v * (high / low) : v;
    if (magnitude > largest) largest = magnitude;
  }
  if (!least_squares) return largest;
  double best = 1, least = std::numeric_limits<double>::infinity();
  const auto consider = [&](double share) {
    const double error = error_at(x, largest * share / high, low, high);
    if (error < least) {
      least = error;
      best = share;
    }
  };
  for (int k = 0; k <= 16; ++k) consider(1 - k / 32.0);
  const double centre = best;
  for (int k = 1; k <= 4; ++k) {
    const double offset = k * (1 / 32.0) / 5;
    if (centre + offset <= 1) consider(centre + offset);
    consider(centre - offset);
  }
  return largest * best;
}

OpFixture reach_step(const Case& c, const std::vector<float>& x, double low, double high) {
  OpFixture f("WeightReach");
  f.constant<float>(c.dims, x).input<double>({2}, {low, high});
  f.output<double>({static_cast<int64_t>(channels_of(c, x).size())}).set_integer("channel_axis", c.axis);
  return f;
}

TEST(weight_reach) {
  for (const Case& c : kCases) {
    const std::vector<float> x = weights_for(c);
    for (const double low : {-127.0, -128.0, -7.0})
      for (const int least_squares : {0, 1})
        for (const int threads : {1, 2, 3}) {
          std::vector<double> want;
          for (const auto& channel : channels_of(c, x))
            want.push_back(reach_of(channel, low, low == -7 ? 7 : 127, least_squares != 0));
          OpFixture f = reach_step(c, x, low, low == -7 ? 7 : 127);
          EXPECT_OK(f.set_integer("least_squares", least_squares).set_threads(threads).run());
          EXPECT_SAME(f.out<double>(0), want.data(), want.size(), "reach");
        }
  }
}

TEST(weight_reach_of_what_is_not_finite) {
  const Case c{{4, 3}, 0};
  const float inf = std::numeric_limits<float>::infinity();
  OpFixture f = reach_step(c, {1, inf, 2, inf, std::nanf(""), 1, 0, 1e-30f, -0.0f, -3, 1, 2}, -127, 127);
  EXPECT_OK(f.set_integer("least_squares", 1).run());
  EXPECT_EQ(f.out<double>(0)[0], static_cast<double>(inf));
  EXPECT(std::isnan(f.out<double>(0)[1]));
  EXPECT_EQ(f.out<double>(0)[2], 0.0);
  EXPECT(f.out<double>(0)[3] > 1);
  EXPECT_CODE(reach_step(c, weights_for(c), 0, 127).run(), Code::kData);
  EXPECT_CODE(reach_step(c, weights_for(c), std::nan(""), 127).run(), Code::kData);
}

TEST(weight_levels) {
  for (const Case& c : kCases) {
    const std::vector<float> x = weights_for(c);
    const size_t n = channels_of(c, x).size();
    std::vector<float> scales(n);
    for (size_t i = 0; i < n; ++i) scales[i] = 0.003f + 0.001f * static_cast<float>(i % 7);
    size_t inner = 1;
    for (size_t i = static_cast<size_t>(c.axis < 0 ? 0 : c.axis + 1); i < c.dims.size(); ++i)
      inner *= static_cast<size_t>(c.dims[i]);
    for (const double zero : {0.0, 128.0}) {
      std::vector<uint8_t> want;
      for (size_t i = 0; i < x.size(); ++i) {
        const double scaled = static_cast<double>(x[i]) / scales[i / inner % n];
        want.push_back(
            static_cast<uint8_t>(static_cast<int>(std::nearbyint(std::fmin(127.0, std::fmax(-127.0, scaled))) + zero)));
      }
      OpFixture f("WeightLevels");
      f.constant<float>(c.dims, x)
          .input<float>({static_cast<int64_t>(n)}, scales)
          .input<double>({3}, {-127, 127, zero});
      f.output<uint8_t>(c.dims).set_integer("channel_axis", c.axis);
      EXPECT_OK(f.run());
      EXPECT_SAME(f.out<uint8_t>(0), want.data(), want.size(), "levels");
    }
  }
  OpFixture halves("WeightLevels");
  halves.constant<float>({4}, {0.5f, 1.5f, -2.5f, 1e30f}).input<float>({1}, {1}).input<double>({3}, {-127, 127, 0});
  EXPECT_OK(halves.output<uint8_t>({4}).run());
  const std::vector<uint8_t> want = {0, 2, 254, 127};
  EXPECT_SAME(halves.out<uint8_t>(0), want.data(), want.size(), "half to even");
}

}  // namespace
}  // namespace octavo::test
