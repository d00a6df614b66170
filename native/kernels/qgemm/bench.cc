// Billions of products a second of every kernel this CPU runs, one core.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "cpu/isa.h"
#include "kernels/qgemm/pack.h"
#include "test/bench.h"

namespace octavo {
namespace {

struct Size {
  const char* name;
  size_t m, n, k, taps;
};

double rate(const QGemmKernel& kernel, const Size& s) {
  QGemmLayout layout;
  if (!make_qgemm_layout(kernel, s.taps, s.k, s.n, &layout)) return 0;
  const size_t mr = static_cast<size_t>(kernel.mr), nr = layout.nr;
  std::vector<uint8_t> a(s.m * s.k * s.taps + 64, 3), w(s.n * s.k * s.taps, 5), c(s.m * s.n);
  std::vector<int8_t> packed(layout.bytes());
  std::vector<int32_t> bias(layout.columns());
  std::vector<float> multiplier(layout.columns(), 1e-4f);
  qgemm_pack(layout, {w.data(), s.k, 1, s.taps * s.k, 0}, 0, layout.panels, packed.data(), bias.data());
  std::vector<const uint8_t*> rows(mr * s.taps);
  const double time = bench::seconds([&] {
    for (size_t row = 0; row < s.m; row += mr) {
      QGemmTile t;
      t.m = std::min(mr, s.m - row);
      for (size_t tap = 0; tap < s.taps; ++tap)
        for (size_t r = 0; r < mr; ++r) rows[tap * mr + r] = a.data() + ((row + std::min(r, t.m - 1)) * s.taps + tap) * s.k;
      t.rows = rows.data(), t.taps = s.taps, t.k = s.k;
      t.requantize = {-128, 127, 0}, t.store = QGemmStore::kBytes, t.c_stride = s.n;
      for (size_t panel = 0; panel < layout.panels; ++panel) {
        t.panel = packed.data() + panel * layout.panel_bytes;
        t.bias = bias.data() + panel * nr, t.multiplier = multiplier.data() + panel * nr;
        t.c = c.data() + row * s.n + panel * nr, t.n = std::min(nr, s.n - panel * nr);
        kernel.run(t);
      }
    }
  });
  return static_cast<double>(s.m * s.n) * static_cast<double>(s.k * s.taps) / time * 1e-9;
}

}  // namespace

BENCH(qgemm) {
  const Size sizes[] = {
      {"512x512x512", 512, 512, 512, 1}, {"3136x64x64x9", 3136, 64, 64, 9}, {"196x256x256x9", 196, 256, 256, 9},
      {"49x2048x512", 49, 2048, 512, 1}, {"3136x24x144", 3136, 24, 144, 1}, {"1x1000x2048", 1, 1000, 2048, 1}};
  size_t count = 0;
  const QGemmKernel* kernels = qgemm_kernels(&count);
  for (size_t i = 0; i < count; ++i)
    for (const Size& size : sizes)
      if (isa_supported(kernels[i].isa)) std::printf("%-44s %-14s %7.1f GMAC/s\n", kernels[i].name, size.name, rate(kernels[i], size));
}

}  // namespace octavo
