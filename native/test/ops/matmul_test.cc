#include <cmath>

#include "test/op_fixture.h"

using namespace octavo;
using namespace octavo::test;

namespace {

std::vector<float> reals(Random& random, size_t count) {
  std::vector<float> v(count);
  for (float& f : v) f = random.real(-1, 1);
  return v;
}

struct Product {
  int64_t batch, m, k, n;
  bool trans_a, trans_b, constant_b, batched_b;
};

void check(const Product& c, float alpha, const std::vector<int64_t>& bias_dims, float beta) {
  Random random(static_cast<uint64_t>(c.m * 10000 + c.k * 100 + c.n));
  const std::vector<float> a = reals(random, static_cast<size_t>(c.batch * c.m * c.k)),
                           b = reals(random, static_cast<size_t>((c.batched_b ? c.batch : 1) * c.k * c.n));
  std::vector<int64_t> a_dims = {c.batch, c.m, c.k}, b_dims = {c.k, c.n};
  if (c.trans_a) std::swap(a_dims[1], a_dims[2]);
  if (c.trans_b) std::swap(b_dims[0], b_dims[1]);
  if (c.batched_b) b_dims.insert(b_dims.begin(), c.batch);
  int64_t bias_size = 1;
  for (int64_t d : bias_dims) bias_size *= d;
  const std::vector<float> bias = reals(random, static_cast<size_t>(bias_size));
  OpFixture f("MatMul");
  f.input(a_dims, a);
  if (c.constant_b) f.constant(b_dims, b);
  else f.input(b_dims, b);
  if (!bias_dims.empty()) f.input(bias_dims, bias);
  f.output<float>({c.batch, c.m, c.n})
      .set_integer("trans_a", c.trans_a)
      .set_integer("trans_b", c.trans_b)
      .set_number("alpha", alpha)
      .set_number("beta", beta);
  f.set_text("fn", "clip").set_number("lo", -1.5f).set_number("hi", 2.0f);
  EXPECT_OK(f.run());
  for (int64_t p = 0; p < c.batch; ++p)
    for (int64_t i = 0; i < c.m; ++i)
      for (int64_t j = 0; j < c.n; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < c.k; ++k) {
          const size_t at = static_cast<size_t>(p * c.m * c.k + (c.trans_a ? k * c.m + i : i * c.k + k));
          const size_t bt =
              static_cast<size_t>((c.batched_b ? p * c.k * c.n : 0) + (c.trans_b ? j * c.k + k : k * c.n + j));
          sum += static_cast<double>(a[at]) * b[bt];
        }
        sum *= alpha;
        if (!bias_dims.empty()) {
          const bool by_row = bias_dims.size() == 2 && bias_dims[0] > 1, by_column = bias_dims.back() > 1;
          sum += beta * bias[static_cast<size_t>((by_row ? i * bias_dims[1] : 0) + (by_column ? j : 0))];
        }
        sum = std::min(2.0, std::max(-1.5, sum));
        const bool close =
            std::fabs(f.out<float>(0)[(p * c.m + i) * c.n + j] - sum) <= 1e-6 * static_cast<double>(10 + c.k);
        EXPECT(close);
        if (!close) return;
      }
}

}  // namespace

TEST(matmul_against_double) {
  for (int bits = 0; bits < 16; ++bits)
    for (int64_t m : {1, 2, 3, 7, 29})
      for (int64_t n : {1, 31, 32, 70}) {
        const Product c = {3, m, 19, n, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
        check(c, 1.0f, {}, 1.0f);
        check(c, 0.5f, {n}, 1.0f);
        check(c, 1.0f, {m, 1}, 1.0f);
        check(c, 2.0f, {m, n}, -0.5f);
      }
}

TEST(matmul_of_rows_4_kib_apart) {
  for (int64_t m : {1, 20}) check({2, m, 1024, 70, false, false, true, false}, 1.0f, {70}, 1.0f);
  check({2, 17, 1024, 33, true, false, false, true}, 1.0f, {}, 1.0f);
}

TEST(matmul_of_vectors_and_nothing) {
  OpFixture f("MatMul");
  f.input<float>({3}, {1, 2, 3}).input<float>({3}, {4, 5, 6}).output<float>({});
  EXPECT_OK(f.run());
  EXPECT_EQ(f.out<float>(0)[0], 32.0f);
  OpFixture g("MatMul");
  g.input<float>({2, 0}, {}).input<float>({0, 2}, {}).output<float>({2, 2});
  EXPECT_OK(g.run());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(g.out<float>(0)[i], 0.0f);
}

TEST(matmul_of_integers_wraps) {
  OpFixture f("MatMul");
  f.input<int32_t>({1, 2}, {1 << 30, 3}).input<int32_t>({2, 1}, {4, 5}).output<int32_t>({1, 1});
  EXPECT_OK(f.run());
  EXPECT_EQ(f.out<int32_t>(0)[0], 15);
}

TEST(matmul_broadcasts_batches) {
  OpFixture f("MatMul");
  f.input<float>({2, 1, 1, 2}, {1, 2, 3, 4}).input<float>({3, 2, 1}, {1, 0, 0, 1, 1, 1}).output<float>({2, 3, 1, 1});
  EXPECT_OK(f.run());
  const float want[] = {1, 2, 3, 3, 4, 7};
  EXPECT_SAME(f.out<float>(0), want, 6, "batched");
}

TEST(matmul_rejects_what_does_not_fit) {
  OpFixture f("MatMul");
  f.input<float>({1, 2}, {1, 2}).input<float>({3, 1}, {1, 2, 3}).output<float>({1, 1});
  EXPECT_CODE(f.run(), Code::kShape);
}
