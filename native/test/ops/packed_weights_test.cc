// Weights are packed some panels at a time, on all threads, from either order of their matrix: the results are the same
// bits.
#include <vector>

#include "test/op_fixture.h"

namespace octavo::test {
namespace {

struct Sizes {
  int64_t m, k, n;
};

std::vector<uint8_t> product(const Sizes& s, DType type, bool zeros, bool transposed) {
  Random r(static_cast<uint64_t>(s.k * 7 + s.n));
  const size_t m = static_cast<size_t>(s.m), k = static_cast<size_t>(s.k), n = static_cast<size_t>(s.n);
  std::vector<uint8_t> x(m * k), w(k * n), zero(n), by_columns(k * n);
  std::vector<float> scales(n);
  for (uint8_t& b : x) b = static_cast<uint8_t>(r.next());
  for (uint8_t& b : w) b = static_cast<uint8_t>(r.next());
  for (uint8_t& b : zero) b = zeros ? static_cast<uint8_t>(r.next()) : uint8_t{0};
  for (float& v : scales) v = r.real(0.001f, 0.01f);
  for (size_t i = 0; i < k; ++i)
    for (size_t j = 0; j < n; ++j) by_columns[j * k + i] = w[i * n + j];
  const uint8_t x_zero = 131, y_zero = 12;
  OpFixture f("QMatMul");
  f.input(DType::kUint8, {s.m, s.k}, x.data(), x.size()).scalar<float>(0.05f);
  f.input(DType::kUint8, {}, &x_zero, 1, true);
  const std::vector<int64_t> dims = transposed ? std::vector<int64_t>{s.n, s.k} : std::vector<int64_t>{s.k, s.n};
  f.input(type, dims, (transposed ? by_columns : w).data(), w.size(), true);
  f.input(DType::kFloat32, {s.n}, scales.data(), n * sizeof(float), true);
  f.input(type, {s.n}, zero.data(), n, true);
  f.scalar<float>(0.3f).input(DType::kUint8, {}, &y_zero, 1, true).absent();
  f.output(DType::kUint8, {s.m, s.n}).set_integer("trans_b", transposed);
  EXPECT_OK(f.run());
  return f.values<uint8_t>(0);
}

}  // namespace

TEST(weights_of_either_order_give_the_same_bits) {
  for (const Sizes s : {Sizes{3, 40, 700}, {1, 2100, 300}, {2, 17, 1}, {5, 1, 513}, {2, 20001, 65}})
    for (const DType type : {DType::kInt8, DType::kUint8})
      for (const bool zeros : {false, true}) {
        const auto rows = product(s, type, zeros, false), columns = product(s, type, zeros, true);
        EXPECT_SAME(rows.data(), columns.data(), rows.size(),
                    std::to_string(s.k) + " x " + std::to_string(s.n) + " " + dtype_name(type));
      }
}

}  // namespace octavo::test
