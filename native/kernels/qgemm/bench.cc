// Products a second of every kernel, over the layers of the benchmark's models (scripts/bench/models) and a square
// product.
#include <algorithm>
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

constexpr Size kSizes[] = {
    {"square 512x512x512", 512, 512, 512, 1},     {"resnet 3136x64x64", 3136, 64, 64, 1},
    {"resnet 3136x64x64 3x3", 3136, 64, 64, 9},   {"resnet 3136x256x64", 3136, 256, 64, 1},
    {"resnet 784x128x128 3x3", 784, 128, 128, 9}, {"resnet 196x256x256 3x3", 196, 256, 256, 9},
    {"resnet 196x1024x256", 196, 1024, 256, 1},   {"resnet 49x512x512 3x3", 49, 512, 512, 9},
    {"resnet 49x2048x512", 49, 2048, 512, 1},     {"resnet 1x1000x2048", 1, 1000, 2048, 1},
    {"mobilenet 12544x16x32", 12544, 16, 32, 1},  {"mobilenet 3136x144x24", 3136, 144, 24, 1},
    {"mobilenet 784x32x192", 784, 32, 192, 1},    {"mobilenet 196x384x64", 196, 384, 64, 1},
    {"mobilenet 49x960x160", 49, 960, 160, 1},    {"mobilenet 49x1280x320", 49, 1280, 320, 1},
    {"encoder 128x384x384", 128, 384, 384, 1},    {"encoder 128x1536x384", 128, 1536, 384, 1},
    {"encoder 16x384x1536", 16, 384, 1536, 1},    {"encoder 1x1536x384", 1, 1536, 384, 1},
};

double seconds_of(const QGemmKernel& kernel, const Size& s) {
  QGemmLayout layout;
  if (!make_qgemm_layout(kernel, s.taps, s.k, s.n, &layout)) return 0;
  const size_t mr = static_cast<size_t>(kernel.mr), nr = layout.nr;
  std::vector<uint8_t> a(s.m * s.k * s.taps + kQGemmOverRead, 3), w(s.n * s.k * s.taps, 5), c(s.m * s.n);
  std::vector<int8_t> packed(layout.bytes());
  std::vector<int32_t> bias(layout.columns());
  std::vector<float> multiplier(layout.columns(), 1e-4f);
  layout.pack({w.data(), s.k, 1, s.taps * s.k, 0}, 0, layout.panels, packed.data(), bias.data());
  std::vector<const uint8_t*> rows(mr * s.taps);
  return bench::seconds([&] {
    for (size_t row = 0; row < s.m; row += mr) {
      QGemmTile t;
      t.m = std::min(mr, s.m - row);
      for (size_t tap = 0; tap < s.taps; ++tap)
        for (size_t r = 0; r < mr; ++r)
          rows[tap * mr + r] = a.data() + ((row + std::min(r, t.m - 1)) * s.taps + tap) * s.k;
      t.operands.rows = rows.data(), t.operands.taps = s.taps, t.operands.k = s.k;
      t.epilogue.requantize = {-128, 127, 0, true}, t.epilogue.store = QGemmStore::kBytes, t.epilogue.c_stride = s.n;
      for (size_t panel = 0; panel < layout.panels; ++panel) {
        t.operands.panel = packed.data() + panel * layout.panel_bytes;
        t.epilogue.bias = bias.data() + panel * nr, t.epilogue.multiplier = multiplier.data() + panel * nr;
        t.epilogue.c = c.data() + row * s.n + panel * nr, t.n = std::min(nr, s.n - panel * nr);
        kernel.run(t);
      }
    }
  });
}

}  // namespace

BENCH(qgemm) {
  size_t count = 0;
  const QGemmKernel* kernels = qgemm_kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    for (const Size& s : kSizes) {
      if (!bench::wanted(kernels[i].isa, s.name)) continue;
      const double products = static_cast<double>(s.m * s.n) * static_cast<double>(s.k * s.taps);
      bench::report("qgemm", {isa_name(kernels[i].isa), kernels[i].name, s.name, false, bench::Unit::kGmacs, products,
                              seconds_of(kernels[i], s)});
    }
  }
}

}  // namespace octavo
