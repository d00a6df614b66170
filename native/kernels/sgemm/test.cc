#include <cmath>
#include <limits>
#include <vector>

#include "cpu/isa.h"
#include "kernels/sgemm/sgemm.h"
#include "test/check.h"

using namespace octavo;
using test::Random;

namespace {

void check_tile(const SgemmKernel& kernel, size_t rows, size_t columns, size_t taps, size_t depth, bool bias,
                bool residual, float lo, float hi) {
  Random random(rows * 1000 + columns * 100 + taps * 10 + depth);
  const size_t k = taps * depth, column = depth % 2 == 0 ? 3 : 0;
  std::vector<float> a(taps * rows * depth + 1), b(k * columns + 1), packed(sgemm_packed_size(kernel, k, columns) + 1),
      bias_values(columns), r(rows * columns + column);
  for (float& v : a) v = random.real(-1, 1);
  for (float& v : b) v = random.real(-1, 1);
  for (float& v : bias_values) v = random.real(-1, 1);
  for (float& v : r) v = random.real(-1, 1);
  sgemm_pack(kernel, b.data(), k, columns, static_cast<ptrdiff_t>(columns), 1, 1.0f, 0, 1, packed.data());
  constexpr float kGuard = 12345.0f;
  std::vector<float> c(rows * (columns + 1) + column, kGuard);
  std::vector<const float*> a_rows(taps * rows), r_rows(rows);
  std::vector<float*> c_rows(rows);
  for (size_t i = 0; i < taps * rows; ++i) a_rows[i] = a.data() + i * depth;
  for (size_t i = 0; i < rows; ++i) {
    r_rows[i] = r.data() + i * columns;
    c_rows[i] = c.data() + i * (columns + 1);
  }
  kernel.tile({rows, columns, taps, depth, a_rows.data(), packed.data(), kernel.nr, bias ? bias_values.data() : nullptr,
               residual ? r_rows.data() : nullptr, lo, hi, c_rows.data(), column});
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      double sum = bias ? bias_values[j] : 0.0, size = 1.0;
      for (size_t t = 0; t < taps; ++t)
        for (size_t d = 0; d < depth; ++d) {
          const double p = static_cast<double>(a[(t * rows + i) * depth + d]) * b[(t * depth + d) * columns + j];
          sum += p;
          size += std::fabs(p);
        }
      if (residual) sum += r[i * columns + column + j];
      sum = sum < lo ? lo : sum > hi ? hi : sum;
      EXPECT(std::fabs(c_rows[i][column + j] - sum) <= 1e-6 * size);
    }
    EXPECT_EQ(c_rows[i][column + columns], kGuard);
  }
}

}  // namespace

TEST(sgemm_tile_against_double) {
  const float inf = std::numeric_limits<float>::infinity();
  size_t count;
  const SgemmKernel* kernels = sgemm_kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    if (!isa_supported(kernels[i].isa)) continue;
    for (size_t rows = 1; rows <= kernels[i].mr; ++rows)
      for (size_t columns = 1; columns <= kernels[i].nr; ++columns)
        for (size_t depth : {1, 2, 7}) {
          check_tile(kernels[i], rows, columns, 1, depth, true, false, -inf, inf);
          check_tile(kernels[i], rows, columns, 3, depth, depth == 2, true, -0.5f, 0.75f);
        }
    check_tile(kernels[i], kernels[i].mr, kernels[i].nr, 0, 5, true, true, 0.0f, inf);
    check_tile(kernels[i], kernels[i].mr, kernels[i].nr, 1, 1000, false, false, -inf, inf);
  }
}

TEST(sgemm_passes_nan_through_the_clamp) {
  size_t count;
  const SgemmKernel* kernels = sgemm_kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    if (!isa_supported(kernels[i].isa)) continue;
    std::vector<float> b(kernels[i].nr, 1.0f), c(kernels[i].nr);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float* a = &nan;
    float* to = c.data();
    kernels[i].tile({1, kernels[i].nr, 1, 1, &a, b.data(), kernels[i].nr, nullptr, nullptr, 0.0f, 6.0f, &to});
    for (float value : c) EXPECT(std::isnan(value));
  }
}

namespace {

// Steps wider than the channels, NaN between and after them: what is read there must not count, and nothing may be
// written.
void check_strip(const SgemmKernel& kernel, size_t channels, size_t pixels, size_t taps, bool residual) {
  Random random(channels * 100 + pixels * 10 + taps);
  constexpr size_t kSlack = 16;
  constexpr float kGuard = 77.0f;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const size_t x_step = 2 * channels + 1, y_step = channels + 3;
  std::vector<float> x((taps + pixels) * x_step + kSlack, nan), w(taps * channels + kSlack, nan),
      bias(channels + kSlack, nan);
  std::vector<float> r(pixels * y_step + kSlack, nan), y(pixels * y_step + kSlack, kGuard);
  const auto fill = [&](float* p) {
    for (size_t j = 0; j < channels; ++j) p[j] = random.real(-1, 1);
  };
  for (size_t i = 0; i < taps + pixels; ++i) fill(x.data() + i * x_step);
  for (size_t t = 0; t < taps; ++t) fill(w.data() + t * channels);
  for (size_t p = 0; p < pixels; ++p) fill(r.data() + p * y_step);
  fill(bias.data());
  std::vector<const float*> x_taps(taps), w_taps(taps);
  for (size_t t = 0; t < taps; ++t) {
    x_taps[t] = x.data() + t * x_step;
    w_taps[t] = w.data() + t * channels;
  }
  kernel.depthwise({channels, pixels, taps, x_taps.data(), w_taps.data(), x_step, bias.data(),
                    residual ? r.data() : nullptr, -1.0f, 1.0f, y.data(), y_step});
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t j = 0; j < channels; ++j) {
      double sum = static_cast<double>(bias[j]) + (residual ? r[p * y_step + j] : 0.0f);
      for (size_t t = 0; t < taps; ++t) sum += static_cast<double>(x[(t + p) * x_step + j]) * w[t * channels + j];
      sum = sum < -1 ? -1 : sum > 1 ? 1 : sum;
      EXPECT(std::fabs(y[p * y_step + j] - sum) <= 1e-5);
    }
    for (size_t j = channels; j < y_step; ++j) EXPECT_EQ(y[p * y_step + j], kGuard);
  }
}

}  // namespace

TEST(sdwconv_against_double) {
  size_t count;
  const SgemmKernel* kernels = sgemm_kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    if (!isa_supported(kernels[i].isa)) continue;
    for (size_t channels = 1; channels < 80; ++channels) check_strip(kernels[i], channels, 1, 9, true);
    for (size_t channels = 1; channels < 40; ++channels)
      for (size_t pixels : {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17})
        check_strip(kernels[i], channels, pixels, pixels % 2 == 0 ? 9 : 4, channels % 2 == 0);
    check_strip(kernels[i], 100, 8, 25, true);
    check_strip(kernels[i], 20, 3, 0, false);
  }
}

// Every element by the definition: block, k, column; zeros beyond the last column.
TEST(sgemm_packs_any_order_of_the_matrix) {
  struct Case {
    size_t k, n;
  };
  for (const Case c : {Case{1, 1}, {5, 33}, {16, 64}, {37, 700}, {250, 95}})
    for (const bool transposed : {false, true}) {
      const SgemmKernel& kernel = sgemm_kernel();
      const size_t nr = kernel.nr, blocks = (c.n + nr - 1) / nr;
      std::vector<float> b(c.k * c.n), packed(sgemm_packed_size(kernel, c.k, c.n), -1.0f);
      Random random(c.k + c.n);
      for (float& v : b) v = random.real(-1, 1);
      const ptrdiff_t row = static_cast<ptrdiff_t>(transposed ? 1 : c.n),
                      column = static_cast<ptrdiff_t>(transposed ? c.k : 1);
      // In two parts, as threads have them.
      sgemm_pack(kernel, b.data(), c.k, c.n, row, column, 0.5f, blocks / 2, blocks, packed.data());
      sgemm_pack(kernel, b.data(), c.k, c.n, row, column, 0.5f, 0, blocks / 2, packed.data());
      size_t wrong = 0;
      for (size_t block = 0; block < blocks; ++block)
        for (size_t i = 0; i < c.k; ++i)
          for (size_t j = 0; j < nr; ++j) {
            const size_t n = block * nr + j;
            const float want = n < c.n ? 0.5f * b[transposed ? n * c.k + i : i * c.n + n] : 0.0f;
            wrong += packed[(block * c.k + i) * nr + j] != want;
          }
      EXPECT_EQ(wrong, size_t{0});
    }
}
