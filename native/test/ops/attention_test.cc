#include <cmath>

#include "test/op_fixture.h"

using namespace octavo;
using namespace octavo::test;

namespace {

std::vector<float> reals(Random& random, int64_t count) {
  std::vector<float> v(static_cast<size_t>(count));
  for (float& f : v) f = random.real(-1, 1);
  return v;
}

struct Case {
  int64_t batch, heads, kv_heads, queries, keys, size, value_size;
  bool flat, causal, bias;
  int64_t window, start, length;
};

// Row (b, head, s) of x, [batch, rows, heads * size] or [batch, heads, rows, size].
const float* row_of(const std::vector<float>& x, bool flat, int64_t heads, int64_t rows, int64_t size, int64_t b,
                    int64_t head, int64_t s) {
  return x.data() + (flat ? (b * rows + s) * heads + head : (b * heads + head) * rows + s) * size;
}

void check(const Case& c) {
  Random random(static_cast<uint64_t>(c.queries * 1000 + c.keys));
  const std::vector<float> q = reals(random, c.batch * c.heads * c.queries * c.size),
                           k = reals(random, c.batch * c.kv_heads * c.keys * c.size),
                           v = reals(random, c.batch * c.kv_heads * c.keys * c.value_size),
                           bias = reals(random, c.heads * c.queries * c.keys);
  const auto dims = [&](int64_t heads, int64_t rows, int64_t size) {
    return c.flat ? std::vector<int64_t>{c.batch, rows, heads * size}
                  : std::vector<int64_t>{c.batch, heads, rows, size};
  };
  OpFixture f("Attention");
  f.input(dims(c.heads, c.queries, c.size), q)
      .input(dims(c.kv_heads, c.keys, c.size), k)
      .input(dims(c.kv_heads, c.keys, c.value_size), v);
  if (c.bias) f.input<float>({1, c.heads, c.queries, c.keys}, bias);
  else f.absent();
  f.input<int32_t>({1}, {static_cast<int32_t>(c.start)}).input<int64_t>({}, {c.length});
  f.output<float>(dims(c.heads, c.queries, c.value_size)).set_threads(3);
  f.set_integer("heads", c.heads).set_integer("kv_heads", c.kv_heads).set_integer("causal", c.causal);
  f.set_integer("window", c.window).set_number("scale", 0.4f);
  EXPECT_OK(f.run());
  const std::vector<float> got = f.values<float>(0);
  for (int64_t b = 0; b < c.batch; ++b)
    for (int64_t h = 0; h < c.heads; ++h)
      for (int64_t s = 0; s < c.queries; ++s) {
        const int64_t kv = h / (c.heads / c.kv_heads), own = c.start + s;
        const int64_t hi = c.causal ? std::min(c.length, own + 1) : c.length;
        const int64_t lo = c.window > 0 ? std::max<int64_t>(0, own + 1 - c.window) : 0;
        std::vector<double> y(static_cast<size_t>(c.value_size));
        double sum = 0;
        for (int64_t j = lo; j < hi; ++j) {
          double score = 0;
          for (int64_t i = 0; i < c.size; ++i)
            score += static_cast<double>(row_of(q, c.flat, c.heads, c.queries, c.size, b, h, s)[i]) *
                     row_of(k, c.flat, c.kv_heads, c.keys, c.size, b, kv, j)[i];
          score *= static_cast<double>(0.4f);
          if (c.bias) score += bias[static_cast<size_t>((h * c.queries + s) * c.keys + j)];
          const double e = std::exp(score);
          sum += e;
          for (int64_t i = 0; i < c.value_size; ++i)
            y[static_cast<size_t>(i)] += e * row_of(v, c.flat, c.kv_heads, c.keys, c.value_size, b, kv, j)[i];
        }
        for (int64_t i = 0; i < c.value_size; ++i) {
          const double want = sum > 0 ? y[static_cast<size_t>(i)] / sum : 0;
          EXPECT(std::fabs(row_of(got, c.flat, c.heads, c.queries, c.value_size, b, h, s)[i] - want) < 1e-5);
        }
      }
}

}  // namespace

TEST(attention_against_double) {
  for (const bool flat : {false, true})
    for (const bool causal : {false, true})
      for (const int64_t queries : {1, 3, 8, 37, 70})
        for (const int64_t window : {0, 5}) {
          const bool bias = queries % 2 == 1;
          check({2, 6, 2, queries, queries, 20, 12, flat, causal, bias, window, 0, queries});
          check({1, 9, 3, queries, queries + 75, 16, 16, flat, causal, bias, window, 75, queries + 75});
          check({1, 2, 2, queries, queries + 66, 8, 33, flat, causal, bias, window, 40, queries + 50});
        }
  // Two queries before the first key; none sees one.
  check({1, 2, 1, 9, 10, 8, 8, true, true, false, 0, -2, 10});
  check({1, 2, 1, 3, 10, 8, 8, true, true, true, 0, -2, 10});
  check({1, 2, 1, 9, 10, 8, 8, true, false, false, 0, 0, 0});
}

TEST(attention_of_int8_is_that_of_the_numbers_they_stand_for) {
  Random random(7);
  for (const int64_t queries : {1, 12}) {
    const int64_t keys = 80, size = 24;
    const std::vector<float> q = reals(random, 4 * queries * size);
    std::vector<int8_t> bytes[2];
    std::vector<float> scales[2], numbers[2];
    for (int side = 0; side < 2; ++side)
      for (int64_t j = 0; j < 2 * keys; ++j) {
        scales[side].push_back(random.real(0.001f, 0.02f));
        for (int64_t i = 0; i < size; ++i) {
          bytes[side].push_back(static_cast<int8_t>(random.between(-127, 127)));
          numbers[side].push_back(static_cast<float>(bytes[side].back()) * scales[side].back());
        }
      }
    std::vector<float> y[2];
    for (int form = 0; form < 2; ++form) {
      OpFixture f("Attention");
      f.input<float>({1, 4, queries, size}, q);
      for (int side = 0; side < 2; ++side) {
        if (form == 0) f.input<float>({1, 2, keys, size}, numbers[side]);
        else f.input<int8_t>({1, 2, keys, size}, bytes[side]);
      }
      f.absent().absent().absent().absent();
      if (form == 1)
        for (int side = 0; side < 2; ++side) f.input<float>({1, 2, keys}, scales[side]);
      f.output<float>({1, 4, queries, size}).set_number("scale", 0.2f).set_integer("causal", 1);
      EXPECT_OK(f.run());
      y[form] = f.values<float>(0);
    }
    for (size_t i = 0; i < y[0].size(); ++i) EXPECT(std::fabs(y[0][i] - y[1][i]) < 1e-5f);
  }
}

TEST(attention_rejects_what_does_not_fit) {
  const auto run = [](const std::vector<int64_t>& k, int64_t heads, int32_t start, int32_t length) {
    const auto numbers = [](const std::vector<int64_t>& dims) {
      size_t n = 1;
      for (int64_t d : dims) n *= static_cast<size_t>(d);
      return std::vector<float>(n);
    };
    OpFixture f("Attention");
    f.input<float>({1, 2, 16}, numbers({1, 2, 16})).input(k, numbers(k)).input(k, numbers(k)).absent();
    f.input<int32_t>({1}, {start}).input<int32_t>({1}, {length}).output<float>({1, 2, 16});
    f.set_integer("heads", heads).set_integer("kv_heads", 2);
    return f.run();
  };
  EXPECT_OK(run({1, 5, 8}, 4, 3, 5));
  EXPECT_CODE(run({1, 5, 8}, 3, 3, 5), Code::kShape);
  EXPECT_CODE(run({1, 5, 10}, 4, 3, 5), Code::kShape);
  EXPECT_CODE(run({2, 5, 8}, 4, 3, 5), Code::kShape);
  EXPECT_OK(run({1, 5, 8}, 4, -2, 5));
  EXPECT_CODE(run({1, 5, 8}, 4, -3, 5), Code::kData);
  EXPECT_CODE(run({1, 5, 8}, 4, 6, 5), Code::kData);
  EXPECT_CODE(run({1, 5, 8}, 4, 3, 6), Code::kData);
}

TEST(append_writes_after_the_past) {
  OpFixture f("Append");
  f.input<float>({2, 1, 3, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}).input<float>({2, 1, 2}, {20, 21, 30, 31});
  f.input<int32_t>({2}, {3, 1}).output<float>({2, 1, 5, 2}).set_integer("heads", 1);
  EXPECT_OK(f.run());
  const float want[] = {1, 2, 3, 4, 5, 6, 20, 21, 0, 0, 7, 8, 30, 31, 0, 0, 0, 0, 0, 0};
  EXPECT_SAME(f.out<float>(0), want, 20, "appended");
  OpFixture none("Append");
  none.absent().input<float>({1, 2, 2}, {1, 2, 3, 4}).output<float>({1, 2, 3});
  EXPECT_OK(none.run());
  const float rest[] = {1, 2, 0, 3, 4, 0};
  EXPECT_SAME(none.out<float>(0), rest, 6, "without a past");
}

TEST(append_rejects_what_does_not_fit) {
  const auto run = [](int32_t start, int64_t rows) {
    OpFixture f("Append");
    f.input<float>({1, 1, 3, 1}, {1, 2, 3}).input<float>({1, 1, 2, 1}, {4, 5}).input<int32_t>({1}, {start});
    f.output<float>({1, 1, rows, 1});
    return f.run();
  };
  EXPECT_OK(run(3, 5));
  EXPECT_CODE(run(4, 7), Code::kData);
  EXPECT_CODE(run(-1, 5), Code::kData);
  EXPECT_CODE(run(3, 4), Code::kData);
}

TEST(rotary_turns_pairs) {
  const std::vector<float> cos = {1, 1, 0, 0.5f}, sin = {0, 0, 1, 2};
  for (const bool interleaved : {false, true}) {
    OpFixture f("Rotary");
    f.input<float>({1, 2, 5}, {1, 2, 3, 4, 9, 1, 2, 3, 4, 9}).input<float>({2, 2}, cos).input<float>({2, 2}, sin);
    f.input<int64_t>({1, 2}, {1, 0}).output<float>({1, 2, 5});
    f.set_integer("heads", 1).set_integer("interleaved", interleaved);
    EXPECT_OK(f.run());
    const float halves[] = {-3, -7, 1, 6, 9, 1, 2, 3, 4, 9}, pairs[] = {-2, 1, -6.5f, 8, 9, 1, 2, 3, 4, 9};
    EXPECT_SAME(f.out<float>(0), interleaved ? pairs : halves, 10, "turned");
  }
  OpFixture beyond("Rotary");
  beyond.input<float>({1, 1, 4}, {1, 2, 3, 4}).input<float>({2, 2}, cos).input<float>({2, 2}, sin);
  beyond.input<int64_t>({1}, {2}).output<float>({1, 1, 4}).set_integer("heads", 1);
  EXPECT_CODE(beyond.run(), Code::kData);
}
