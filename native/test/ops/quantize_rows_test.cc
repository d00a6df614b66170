// QuantizeRows against its definition, and the two signednesses of DynamicQuantizeLinear.
#include <cmath>
#include <vector>

#include "test/op_fixture.h"

namespace octavo::test {
namespace {

struct Row {
  float scale;
  int32_t zero;
  std::vector<int32_t> levels;
};

Row row_of(const float* x, int64_t n, float levels, float least, bool symmetric, int32_t qmin, int32_t qmax,
           int32_t middle) {
  float low = 0, high = 0;
  for (int64_t i = 0; i < n; ++i) low = std::fmin(low, x[i]), high = std::fmax(high, x[i]);
  Row row;
  row.scale = std::fmax((symmetric ? std::fmax(high, -low) : high - low) / levels, least);
  row.zero = symmetric ? middle : qmin + static_cast<int32_t>(std::nearbyint(-low / row.scale));
  for (int64_t i = 0; i < n; ++i) {
    const double q = std::nearbyint(x[i] / row.scale) + row.zero;
    row.levels.push_back(static_cast<int32_t>(std::fmin(std::fmax(q, qmin), qmax)));
  }
  return row;
}

}  // namespace

TEST(rows_are_quantized_by_their_own_range) {
  uint64_t seed = 0;
  for (const int64_t n : {1, 2, 15, 16, 17, 33, 384})
    for (const int64_t rows : {1, 3, 70})
      for (int variant = 0; variant < 8; ++variant) {
        Random r(++seed);
        const bool is_signed = variant & 1, symmetric = variant & 2, narrow = variant & 4;
        const int32_t least = is_signed ? -128 : 0, qmin = least + (narrow ? 2 : 0),
                      qmax = least + (narrow ? 129 : 255);
        const int32_t middle = is_signed ? 0 : 128;
        const float levels = symmetric ? (narrow ? 100.0f : 127.0f) : static_cast<float>(qmax - qmin);
        std::vector<float> x(static_cast<size_t>(rows * n));
        for (int64_t i = 0; i < rows; ++i)
          for (int64_t k = 0; k < n; ++k) {
            const float v = r.real(-2, 2) * static_cast<float>(i + 1);
            x[static_cast<size_t>(i * n + k)] = i % 4 == 1   ? std::fabs(v)
                                                : i % 4 == 2 ? 0
                                                : i % 4 == 3 ? -std::fabs(v)
                                                             : v;
          }
        const DType type = is_signed ? DType::kInt8 : DType::kUint8;
        OpFixture f("QuantizeRows");
        f.input<float>({rows, n}, x).output(type, {rows, n}).output<float>({rows, 1});
        if (!symmetric) f.output(type, {rows});
        f.set_number("levels", levels).set_number("least", 1e-4f).set_integer("symmetric", symmetric);
        if (narrow) f.set_integer("qmin", qmin).set_integer("qmax", qmax);
        EXPECT_OK(f.run());
        for (int64_t i = 0; i < rows; ++i) {
          const Row want = row_of(&x[static_cast<size_t>(i * n)], n, levels, 1e-4f, symmetric, qmin, qmax, middle);
          EXPECT(f.out<float>(1)[i] == want.scale);
          if (!symmetric) EXPECT(f.out<uint8_t>(2)[i] == static_cast<uint8_t>(want.zero));
          for (int64_t k = 0; k < n; ++k)
            EXPECT(f.out<uint8_t>(0)[i * n + k] == static_cast<uint8_t>(want.levels[static_cast<size_t>(k)]));
        }
      }
}

TEST(a_row_that_is_not_a_number_has_no_scale) {
  OpFixture f("QuantizeRows");
  f.input<float>({2, 2}, {NAN, 1, 3, 1}).output<uint8_t>({2, 2}).output<float>({2}).output<uint8_t>({2});
  f.set_number("levels", 255);
  EXPECT_OK(f.run());
  EXPECT(std::isnan(f.out<float>(1)[0]));
  EXPECT(f.out<float>(1)[1] == 3.0f / 255.0f);
}

TEST(rows_refuse_what_does_not_fit) {
  const auto run = [](bool zero, int64_t symmetric, float levels, const std::vector<int64_t>& scales) {
    OpFixture f("QuantizeRows");
    f.input<float>({2, 2}, {1, 2, 3, 4}).output<uint8_t>({2, 2}).output<float>(scales);
    if (zero) f.output<uint8_t>({2});
    f.set_number("levels", levels).set_integer("symmetric", symmetric);
    return f.run().ok();
  };
  EXPECT(run(true, 0, 255, {2}));
  EXPECT(!run(false, 0, 255, {2}));
  EXPECT(!run(true, 1, 127, {2}));
  EXPECT(!run(true, 0, 0, {2}));
  EXPECT(!run(true, 0, -1, {2}));
  EXPECT(!run(true, 0, 255, {3}));
}

TEST(a_range_of_a_tensor_in_both_signednesses) {
  const std::vector<float> x = {-1, 0, 4.1f, 2.5f};
  OpFixture u("DynamicQuantizeLinear"), s("DynamicQuantizeLinear"), mixed("DynamicQuantizeLinear");
  u.input<float>({4}, x).output<uint8_t>({4}).output<float>({}).output<uint8_t>({});
  s.input<float>({4}, x).output<int8_t>({4}).output<float>({}).output<int8_t>({});
  mixed.input<float>({4}, x).output<int8_t>({4}).output<float>({}).output<uint8_t>({});
  EXPECT_OK(u.run());
  EXPECT_OK(s.run());
  EXPECT(!mixed.run().ok());
  for (int i = 0; i < 4; ++i) EXPECT(u.out<uint8_t>(0)[i] == s.out<int8_t>(0)[i] + 128);
  EXPECT(*u.out<uint8_t>(2) == *s.out<int8_t>(2) + 128);
  EXPECT(*u.out<float>(1) == *s.out<float>(1));
}

}  // namespace octavo::test
