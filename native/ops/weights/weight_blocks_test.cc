// Scales, zero points and levels of weights in groups against the plain loops of their definition, bit for bit: blocks
// along the first, a middle and the last axis, channels, one scale; ends of levels, zeros, what is not finite.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/support/half.h"
#include "test/op_fixture.h"

namespace octavo::test {
namespace {

struct Case {
  std::vector<int64_t> dims;
  int64_t axis, block;
};

const std::vector<Case> kCases = {{{70, 37}, 0, 16}, {{37, 70}, 1, 32}, {{3, 50, 5}, 1, 16}, {{4, 20, 7}, 1, 0},
                                  {{6, 50}, 0, 0},   {{6, 50}, 1, 0},   {{9, 31}, -1, 0},    {{1, 1}, 0, 16},
                                  {{33, 2}, 0, 256}, {{0, 3}, 1, 0}};

struct Bounds {
  double qmin, qmax, middle;
};

int64_t product(const std::vector<int64_t>& dims, size_t begin, size_t end) {
  int64_t n = 1;
  for (size_t i = begin; i < end; ++i) n *= dims[i];
  return n;
}

// The group of every element, and how many there are.
std::vector<int64_t> groups_of(const Case& c, int64_t* count) {
  const int64_t elements = product(c.dims, 0, c.dims.size());
  std::vector<int64_t> groups(static_cast<size_t>(elements), 0);
  *count = 1;
  if (c.axis < 0) return groups;
  const size_t a = static_cast<size_t>(c.axis);
  const int64_t n = c.dims[a], inner = product(c.dims, a + 1, c.dims.size());
  const int64_t blocks = c.block > 0 ? (n + c.block - 1) / c.block : n;
  for (int64_t i = 0; i < elements; ++i) {
    const int64_t along = i / inner % n, outer = i / inner / n;
    groups[static_cast<size_t>(i)] = c.block > 0 ? (outer * blocks + along / c.block) * inner + i % inner : along;
  }
  *count = c.block > 0 ? product(c.dims, 0, a) * blocks * inner : n;
  return groups;
}

double round_scale(double s) {
  const double m = std::fabs(s);
  if (m >= std::ldexp(1, -14) && m <= 65504) return ops::Float16::from(s).value();
  const double bounded = std::min(std::ldexp(1, 120), std::max(std::ldexp(1, -63), m));
  return static_cast<float>(s < 0 ? -bounded : bounded);
}

double level_of(double x, double scale, double zero, const Bounds& b) {
  return std::nearbyint(std::min(b.qmax - zero, std::max(b.qmin - zero, x / scale)));
}

// The scale of least error among the shares of `whole`, and that error.
std::pair<double, double> search(const std::vector<float>& x, double whole, double zero, const Bounds& b) {
  std::pair<double, double> best = {1, std::numeric_limits<double>::infinity()};
  const auto consider = [&](double share) {
    const double scale = round_scale(whole * share), factor = 1 / scale;
    double sum = 0;
    for (const float v : x) {
      const double scaled = v * factor;
      const double d = scaled - std::nearbyint(std::min(b.qmax - zero, std::max(b.qmin - zero, scaled)));
      sum += d * d;
    }
    const double error = sum * scale * scale;
    if (error < best.second) best = {share, error};
  };
  for (int k = 0; k <= 16; ++k) consider(1 - k / 32.0);
  const double centre = best.first;
  for (int k = 1; k <= 4; ++k) {
    const double offset = k * (1 / 32.0) / 5;
    if (centre + offset <= 1) consider(centre + offset);
    consider(centre - offset);
  }
  return {round_scale(whole * best.first), best.second};
}

struct Expected {
  double scale, zero;
};

Expected expected_of(const std::vector<float>& x, const Bounds& b, bool symmetric, bool either, bool search_it) {
  double low = 0, high = 0;
  for (const float v : x) {
    low = std::min<double>(low, v);
    high = std::max<double>(high, v);
  }
  if (!symmetric) {
    if (high - low < std::ldexp(1, -63)) return {1, b.qmin};
    const double whole = round_scale((high - low) / (b.qmax - b.qmin));
    const double zero = b.qmin + std::nearbyint(std::min(b.qmax - b.qmin, std::max(0.0, -low / whole)));
    if (!search_it) return {whole, zero};
    const auto best = search(x, whole, zero, b);
    const double below = b.qmin - b.middle, above = b.qmax - b.middle;
    auto even = search(x, std::max(low / below, high / above), b.middle, b);
    if (either && below + above != 0) {
      const auto other = search(x, -std::max(-high / below, -low / above), b.middle, b);
      if (other.second < even.second) even = other;
    }
    if (even.second < best.second) return {even.first, b.middle};
    return {best.first, zero};
  }
  const double down = b.qmin - b.middle, up = b.qmax - b.middle;
  const double whole = std::max(low / down, high / up);
  if (whole < std::ldexp(1, -63)) return {1, b.middle};
  const bool lopsided = either && down + up != 0;
  if (!search_it) {
    if (!lopsided) return {round_scale(whole), b.middle};
    return {round_scale((high > -low ? high : low) / (up > -down ? up : down)), b.middle};
  }
  const auto best = search(x, whole, b.middle, b);
  if (!lopsided) return {best.first, b.middle};
  const auto other = search(x, -std::max(-high / down, -low / up), b.middle, b);
  return {other.second < best.second ? other.first : best.first, b.middle};
}

OpFixture step(const Case& c, const std::vector<float>& x, const Bounds& b, int64_t count) {
  OpFixture f("WeightBlocks");
  f.constant<float>(c.dims, x).input<double>({3}, {b.qmin, b.qmax, b.middle});
  f.output<float>({count}).output<uint8_t>({count}).output<uint8_t>(c.dims);
  f.set_integer("channel_axis", c.axis).set_integer("block_size", c.block);
  return f;
}

TEST(weight_blocks) {
  for (const Case& c : kCases) {
    int64_t count = 0;
    const std::vector<int64_t> groups = groups_of(c, &count);
    Random random(static_cast<uint64_t>(groups.size()) + 3);
    std::vector<float> x(groups.size());
    for (size_t i = 0; i < x.size(); ++i) {
      const float u = random.real(-1, 1);
      // One group in five is zero, one positive, one tiny.
      const int64_t kind = groups[i] % 5;
      x[i] = kind == 0 && count > 1 ? 0 : kind == 1 ? u * u : kind == 2 ? u * 1e-6f : u * u * u;
    }
    for (const Bounds& b : {Bounds{-8, 7, 0}, {0, 15, 8}, {-2, 1, 0}, {-127, 127, 0}, {0, 255, 128}, {-5, 7, 0}})
      for (int mode = 0; mode < 8; ++mode) {
        const bool symmetric = mode & 1, either = mode & 2, least = mode & 4;
        std::vector<float> scales;
        std::vector<uint8_t> zeros, levels(x.size());
        for (int64_t g = 0; g < count; ++g) {
          std::vector<float> part;
          for (size_t i = 0; i < x.size(); ++i)
            if (groups[i] == g) part.push_back(x[i]);
          const Expected want = expected_of(part, b, symmetric, either, least);
          scales.push_back(static_cast<float>(want.scale));
          zeros.push_back(static_cast<uint8_t>(static_cast<int>(want.zero)));
          for (size_t i = 0; i < x.size(); ++i)
            if (groups[i] == g)
              levels[i] =
                  static_cast<uint8_t>(static_cast<int>(level_of(x[i], scales.back(), want.zero, b) + want.zero));
        }
        for (const int threads : {1, 3}) {
          OpFixture f = step(c, x, b, count);
          f.set_integer("symmetric", symmetric).set_integer("either_sign", either);
          EXPECT_OK(f.set_integer("least_squares", least).set_threads(threads).run());
          EXPECT_SAME(f.out<float>(0), scales.data(), scales.size(), "scales");
          EXPECT_SAME(f.out<uint8_t>(1), zeros.data(), zeros.size(), "zero points");
          EXPECT_SAME(f.out<uint8_t>(2), levels.data(), levels.size(), "levels");
        }
      }
  }
}

TEST(weight_blocks_of_what_is_not_finite) {
  const float inf = std::numeric_limits<float>::infinity();
  const Case c{{3, 4}, 1, 4};
  const std::vector<float> x = {1, 2, std::nanf(""), 3, inf, 1, 2, 3, 1, 2, 3, 4};
  OpFixture f = step(c, x, {-8, 7, 0}, 3);
  EXPECT_OK(f.run());
  EXPECT(std::isnan(f.out<float>(0)[0]));
  EXPECT_EQ(f.out<float>(0)[1], inf);
  EXPECT(f.out<float>(0)[2] > 0);
}

TEST(weight_blocks_that_are_refused) {
  const Case c{{3, 4}, 1, 4};
  const std::vector<float> x(12, 1);
  EXPECT_CODE(step(c, x, {0, 7, 0}, 3).run(), Code::kData);
  EXPECT_CODE(step(c, x, {-8, 7, std::nan("")}, 3).run(), Code::kData);
  EXPECT_CODE(step(c, x, {-1e9, 7, 0}, 3).run(), Code::kData);
  EXPECT_CODE(step(c, x, {-8, 7, 0}, 4).run(), Code::kShape);
  EXPECT_CODE(step({{3, 4}, -1, 4}, x, {-8, 7, 0}, 1).run(), Code::kInvalidPlan);
  EXPECT_CODE(step({{3, 4}, 2, 4}, x, {-8, 7, 0}, 3).run(), Code::kInvalidPlan);
  EXPECT_CODE(step({{3, 4}, 1, -4}, x, {-8, 7, 0}, 3).run(), Code::kInvalidPlan);
}

}  // namespace
}  // namespace octavo::test
