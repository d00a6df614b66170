// Bytes a second, read and written, of the softmax of quantized rows.
#include <cmath>
#include <string>
#include <vector>

#include "kernels/qsoftmax/qsoftmax.h"
#include "test/bench.h"

namespace octavo {

#define OCTAVO_TABLE QSoftmaxKernel
#define OCTAVO_TABLES "kernels/qsoftmax/kernels.inc"
#include "kernels/tables.inc"

namespace {

constexpr size_t kRows = 4;

void run(const QSoftmaxKernel& k) {
  QSoftmaxParameters p{};
  for (int i = 0; i < 16; ++i) {
    p.coarse[i] = std::exp(-16.0f * static_cast<float>(i) * 0.05f);
    p.fine[i] = std::exp(-static_cast<float>(i) * 0.05f);
  }
  p.y_scale = 1.0f / 256, p.qmax = 255;
  for (const int64_t n : {16, 128, 1024}) {
    const auto size = static_cast<size_t>(n);
    std::vector<uint8_t> x(kRows * size + 64), y(kRows * size + 64);
    std::vector<float> values(static_cast<size_t>(qsoftmax_values(n)));
    for (size_t i = 0; i < kRows * size; ++i) x[i] = static_cast<uint8_t>(i * 37);
    const std::string shape = std::to_string(kRows) + " rows of " + std::to_string(n);
    if (!bench::wanted(k.isa, shape)) continue;
    const double time = bench::seconds([&] { k.rows(p, x.data(), y.data(), n, kRows, values.data()); });
    bench::report("qsoftmax", {isa_name(k.isa), "qsoftmax", shape, false, bench::Unit::kGigabytes,
                               2.0 * static_cast<double>(kRows * size), time});
  }
}

}  // namespace

BENCH(qsoftmax) {
  for (const QSoftmaxKernel* k : kTables) run(*k);
}

}  // namespace octavo
