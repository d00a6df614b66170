// Bytes a second, read and written, of the reductions and normalizations of float rows.
#include <string>
#include <vector>

#include "kernels/rows/rows.h"
#include "test/bench.h"

namespace octavo {

#define OCTAVO_TABLE RowKernels
#define OCTAVO_TABLES "kernels/rows/kernels.inc"
#include "kernels/tables.inc"

namespace {

void run(const RowKernels& k) {
  constexpr size_t kSlack = 16;
  for (const int64_t n : {64, 128, 384, 4096}) {
    const auto size = static_cast<size_t>(n);
    std::vector<float> x(size + kSlack), y(size + kSlack), scale(size + kSlack, 1.0f);
    for (size_t i = 0; i < size; ++i) x[i] = static_cast<float>(i % 17) * 0.25f - 2;
    const double bytes = static_cast<double>(size * sizeof(float));
    const auto measure = [&](const char* what, double moved, auto&& body) {
      const std::string shape = std::string(what) + " " + std::to_string(n);
      if (bench::wanted(k.isa, shape))
        bench::report("rows",
                      {isa_name(k.isa), "rows", shape, true, bench::Unit::kGigabytes, moved, bench::seconds(body)});
    };
    float sum = 0, mean = 0, inverse = 0;
    measure("sum", bytes, [&] { sum += k.reduce(Reduction::kSum, x.data(), n, 0); });
    measure("softmax", 2 * bytes, [&] { k.softmax(x.data(), y.data(), n, false); });
    const LayerNormRow p{scale.data(), scale.data(), 1e-5f, false};
    measure("layer norm", 2 * bytes, [&] { k.layer_norm(p, x.data(), y.data(), n, &mean, &inverse); });
    asm volatile("" : : "r"(&sum) : "memory");
  }
}

}  // namespace

BENCH(rows) {
  for (const RowKernels* k : kTables) run(*k);
}

}  // namespace octavo
