// Every compiled instruction set against scalar.cc bit for bit, and columns against rows.
#include "kernels/rows/rows.h"

#include "cpu/float_mode.h"
#include "cpu/isa.h"
#include "test/vector_sizes.h"

namespace octavo {

#define OCTAVO_TABLE RowKernels
#define OCTAVO_TABLES "kernels/rows/kernels.inc"
#include "kernels/tables.inc"

namespace {

constexpr Reduction kReductions[] = {Reduction::kSum,    Reduction::kSumAbs,  Reduction::kSumSquares,
                                     Reduction::kSumExp, Reduction::kProduct, Reduction::kMax,
                                     Reduction::kMin};

template <class F>
void each_isa(F f) {
  const FlushSubnormals mode;
  for (const RowKernels* kernels : kTables)
    if (isa_supported(kernels->isa)) f(*kernels);
}

void fill(test::Array<float>& x, size_t n, uint64_t seed) {
  test::Random random(seed);
  for (size_t i = 0; i < n; ++i) x[i] = random.real(-4, 4);
}

void compare(const float* got, const float* want, size_t n, const std::string& where) {
  test::expect_same_floats(got, want, n, where, __FILE__, __LINE__);
}

}  // namespace

TEST(rows_every_instruction_set_gives_the_bits_of_scalar) {
  each_isa([](const RowKernels& k) {
    for (size_t n : test::vector_sizes(700)) {
      const int64_t count = static_cast<int64_t>(n);
      const std::string where = std::string(isa_name(k.isa)) + " of " + std::to_string(n);
      test::Array<float> x(n), scale(n), bias(n), got(n), want(n);
      fill(x, n, n);
      fill(scale, n, n + 1);
      fill(bias, n, n + 2);
      for (Reduction kind : kReductions) {
        const float a = k.reduce(kind, x.data(), count, 0.5f), b = row_scalar.reduce(kind, x.data(), count, 0.5f);
        compare(&a, &b, 1, "reduction " + std::to_string(static_cast<int>(kind)) + ", " + where);
      }
      for (bool log : {false, true}) {
        k.softmax(x.data(), got.data(), count, log);
        row_scalar.softmax(x.data(), want.data(), count, log);
        EXPECT(got.intact());
        compare(got.data(), want.data(), n, "softmax, " + where);
      }
      for (int form = 0; form < 8; ++form) {
        const LayerNormRow p = {form & 1 ? scale.data() : nullptr, form & 2 ? bias.data() : nullptr, 1e-5f,
                                (form & 4) != 0};
        float results[4];
        k.layer_norm(p, x.data(), got.data(), count, &results[0], &results[1]);
        row_scalar.layer_norm(p, x.data(), want.data(), count, &results[2], &results[3]);
        EXPECT(got.intact());
        if (n == 0) continue;
        compare(got.data(), want.data(), n, "layer norm, " + where);
        compare(results, results + 2, 2, "mean and deviation, " + where);
      }
      float ranges[4];
      k.range(x.data(), count, &ranges[0], &ranges[1]);
      row_scalar.range(x.data(), count, &ranges[2], &ranges[3]);
      compare(ranges, ranges + 2, 2, "range, " + where);
      k.normalize(x.data(), got.data(), count, 0.1f, 2.5f, -1);
      row_scalar.normalize(x.data(), want.data(), count, 0.1f, 2.5f, -1);
      compare(got.data(), want.data(), n, "normalize, " + where);
    }
  });
}

TEST(rows_columns_give_the_bits_of_rows) {
  each_isa([](const RowKernels& k) {
    for (size_t n : {1, 2, 15, 16, 17, 33, 70})
      for (size_t columns : {1, 3, 4, 7, 8, 9, 16, 17, 40}) {
        const std::string where =
            std::string(isa_name(k.isa)) + " " + std::to_string(n) + " x " + std::to_string(columns);
        test::Array<float> x(n * columns), got(n * columns), line(n), one(n), reduced(columns);
        test::Array<float> shift(columns);
        fill(x, n * columns, n * 100 + columns);
        fill(shift, columns, columns);
        const int64_t width = static_cast<int64_t>(columns), count = static_cast<int64_t>(n);
        const auto column = [&](size_t c) {
          for (size_t i = 0; i < n; ++i) line[i] = x[i * columns + c];
        };
        for (Reduction kind : kReductions) {
          k.reduce_columns(kind, x.data(), reduced.data(), count, width, width, shift.data());
          EXPECT(reduced.intact());
          for (size_t c = 0; c < columns; ++c) {
            column(c);
            const float want = row_scalar.reduce(kind, line.data(), count, shift[c]);
            compare(&reduced[c], &want, 1, "reduction " + std::to_string(static_cast<int>(kind)) + ", " + where);
          }
        }
        for (bool log : {false, true}) {
          k.softmax_columns(x.data(), got.data(), count, width, width, log);
          EXPECT(got.intact());
          for (size_t c = 0; c < columns; ++c) {
            column(c);
            row_scalar.softmax(line.data(), one.data(), count, log);
            for (size_t i = 0; i < n; ++i) compare(&got[i * columns + c], &one[i], 1, "softmax, " + where);
          }
        }
      }
  });
}

TEST(rows_sum_is_that_of_sixteen_accumulators) {
  test::Array<float> x(21);
  fill(x, 21, 5);
  float a[16] = {};
  for (size_t i = 0; i < 21; ++i) a[i % 16] += x[i];
  for (int step = 8; step > 0; step /= 2)
    for (int i = 0; i < step; ++i) a[i] += a[i + step];
  const float got = row_kernels().reduce(Reduction::kSum, x.data(), 21, 0);
  EXPECT_EQ(got, a[0]);
}

}  // namespace octavo
