// Every compiled instruction set against scalar.cc bit for bit, and that against the formula in double precision.
#include "kernels/qsoftmax/qsoftmax.h"

#include <algorithm>

#include "cpu/float_mode.h"
#include "cpu/isa.h"
#include "kernels/math/math.h"
#include "test/vector_sizes.h"

namespace octavo {

#define OCTAVO_TABLE QSoftmaxKernel
#define OCTAVO_TABLES "kernels/qsoftmax/kernels.inc"
#include "kernels/tables.inc"

namespace {

QSoftmaxParameters parameters(float x_scale, bool is_signed, float y_scale, int32_t zp, int32_t qmin, int32_t qmax) {
  QSoftmaxParameters p = {{}, {}, is_signed, y_scale, zp, qmin, qmax};
  const float unused[2] = {0, 0};
  float coarse[16 + 16] = {}, fine[16 + 16] = {};
  for (int i = 0; i < 16; ++i) {
    coarse[i] = static_cast<float>(-16 * i) * x_scale;
    fine[i] = static_cast<float>(-i) * x_scale;
  }
  math_kernels().apply(VectorFunction::kExp, coarse, p.coarse, 16, unused);
  math_kernels().apply(VectorFunction::kExp, fine, p.fine, 16, unused);
  return p;
}

void fill(test::Array<uint8_t>& x, size_t n, uint64_t seed, bool narrow) {
  test::Random random(seed);
  for (size_t i = 0; i < n; ++i)
    x[i] = static_cast<uint8_t>(narrow ? 120 + (random.next() >> 60) : random.next() >> 32);
}

}  // namespace

TEST(qsoftmax_every_instruction_set_gives_the_bits_of_scalar) {
  const FlushSubnormals mode;
  const QSoftmaxParameters cases[] = {
      parameters(0.1f, false, 1.0f / 256, 0, 0, 255),   parameters(0.02f, true, 1.0f / 256, -128, -128, 127),
      parameters(3.0f, false, 1.0f / 300, 7, 10, 200),  parameters(1e-6f, true, 1e-3f, 5, -100, 100),
      parameters(1e30f, false, 1e-38f, 128, 0, 255),    parameters(0.35f, true, 1e38f, 0, -128, 127),
      parameters(0.2f, false, 1.0f / 16000, 3, 0, 255), parameters(0.2f, true, 1.0f / 20000, -3, -120, 127),
  };
  for (const QSoftmaxKernel* k : kTables) {
    if (!isa_supported(k->isa)) continue;
    for (const QSoftmaxParameters& p : cases)
      for (bool narrow : {false, true})
        for (size_t n : test::vector_sizes(1000)) {
          if (n == 0) continue;
          const size_t rows = 1 + n % 4, size = n * rows;
          test::Array<uint8_t> x(size), got(size), want(size);
          const int64_t count = static_cast<int64_t>(n);
          test::Array<float> values(static_cast<size_t>(qsoftmax_values(count)));
          fill(x, size, n, narrow);
          k->rows(p, x.data(), got.data(), count, static_cast<int64_t>(rows), values.data());
          EXPECT(got.intact() && values.intact());
          for (size_t r = 0; r < rows; ++r)
            qsoftmax_scalar.rows(p, x.data() + r * n, want.data() + r * n, count, 1, values.data());
          EXPECT_SAME(got.data(), want.data(), size, std::string(isa_name(k->isa)) + " of " + std::to_string(n));
        }
  }
}

TEST(qsoftmax_is_softmax) {
  const FlushSubnormals mode;
  const float scale = 0.0625f;
  const QSoftmaxParameters p = parameters(scale, false, 1.0f / 256, 0, 0, 255);
  for (size_t n : {size_t{1}, size_t{3}, size_t{40}, size_t{500}}) {
    test::Array<uint8_t> x(n), got(n);
    test::Array<float> values(static_cast<size_t>(qsoftmax_values(static_cast<int64_t>(n))));
    fill(x, n, n, false);
    qsoftmax_kernel().rows(p, x.data(), got.data(), static_cast<int64_t>(n), 1, values.data());
    double sum = 0;
    for (size_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(x[i]) * static_cast<double>(scale));
    for (size_t i = 0; i < n; ++i) {
      const double y = std::min(255.0, std::exp(static_cast<double>(x[i]) * static_cast<double>(scale)) / sum * 256);
      EXPECT(std::abs(static_cast<double>(got[i]) - y) < 0.501);
    }
  }
}

}  // namespace octavo
