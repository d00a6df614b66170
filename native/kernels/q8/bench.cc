// Bytes a second, read and written, of the elementwise kernels of quantized activations: arrays of an L1 and of an L2
// cache.
#include <string>
#include <vector>

#include "kernels/q8/q8.h"
#include "test/bench.h"

namespace octavo {

#define OCTAVO_TABLE Q8Kernels
#define OCTAVO_TABLES "kernels/q8/kernels.inc"
#include "kernels/tables.inc"

namespace {

void run(const Q8Kernels& k) {
  uint8_t table[256];
  for (int i = 0; i < 256; ++i) table[i] = static_cast<uint8_t>(i * 7);
  for (const int64_t n : {4096, 131072}) {
    const auto size = static_cast<size_t>(n);
    std::vector<uint8_t> a(size + 64, 3), b(size + 64, 5), y(size + 64);
    std::vector<float> f(size + 16, 1.25f);
    std::vector<int32_t> sums(size + 16, 900);
    const auto measure = [&](const char* what, double bytes, auto&& body) {
      const std::string shape = std::string(what) + " " + std::to_string(n);
      if (!bench::wanted(k.isa, shape)) return;
      bench::report("q8", {isa_name(k.isa), "q8", shape, false, bench::Unit::kGigabytes, bytes * static_cast<double>(n),
                           bench::seconds(body)});
    };
    Q8Binary p{};
    p.ra = 0.5f, p.rb = 0.25f, p.m = 0.01f, p.qmax = 255;
    measure("lookup", 2, [&] { k.lookup(a.data(), y.data(), n, table); });
    measure("add", 3, [&] { k.add(p, a.data(), b.data(), y.data(), n); });
    measure("mul", 3, [&] { k.mul(p, a.data(), b.data(), y.data(), n); });
    measure("quantize", 5, [&] { k.quantize(f.data(), y.data(), n, 0.1f, 3, 0, 255); });
    measure("dequantize", 5, [&] { k.dequantize(a.data(), false, f.data(), n, 0.1f, 3); });
    measure("requantize", 5, [&] { k.requantize(sums.data(), y.data(), n, 0.1f, 3, 0, 255); });
    const uint8_t* const taps[] = {a.data(), b.data(), a.data(), b.data(), a.data(),
                                   b.data(), a.data(), b.data(), a.data()};
    measure("max of 9", 10, [&] { k.max_of(taps, 9, false, y.data(), n); });
  }
}

}  // namespace

BENCH(q8) {
  for (const Q8Kernels* k : kTables) run(*k);
}

}  // namespace octavo
