// Products a second of every kernel in float, over layers of the benchmark's models: products, convolutions by taps,
// depthwise strips.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "kernels/sgemm/sgemm.h"
#include "test/bench.h"

namespace octavo {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr size_t kSlack = 16;

struct Size {
  const char* name;
  size_t m, n, depth, taps;
};

constexpr Size kSizes[] = {
    {"square 512x512x512", 512, 512, 512, 1},     {"resnet 3136x64x64 3x3", 3136, 64, 64, 9},
    {"resnet 196x256x256 3x3", 196, 256, 256, 9}, {"resnet 196x1024x256", 196, 1024, 256, 1},
    {"resnet 49x2048x512", 49, 2048, 512, 1},     {"mobilenet 3136x144x24", 3136, 144, 24, 1},
    {"mobilenet 196x384x64", 196, 384, 64, 1},    {"encoder 128x384x384", 128, 384, 384, 1},
    {"encoder 128x1536x384", 128, 1536, 384, 1},  {"encoder 1x1536x384", 1, 1536, 384, 1},
};

double seconds_of(const SgemmKernel& kernel, const Size& s) {
  const size_t k = s.depth * s.taps, panels = (s.n + kernel.nr - 1) / kernel.nr;
  std::vector<float> a(s.m * k + kSlack, 0.5f), b(k * s.n, 0.25f), packed(sgemm_packed_size(kernel, k, s.n)),
      bias(panels * kernel.nr, 1.0f), c(s.m * s.n);
  sgemm_pack(kernel, b.data(), k, s.n, static_cast<ptrdiff_t>(s.n), 1, 1.0f, 0, panels, packed.data());
  std::vector<const float*> rows(kernel.mr * s.taps);
  std::vector<float*> to(kernel.mr);
  return bench::seconds([&] {
    for (size_t row = 0; row < s.m; row += kernel.mr) {
      SgemmTile t{};
      t.rows = std::min(kernel.mr, s.m - row), t.taps = s.taps, t.depth = s.depth, t.b_stride = kernel.nr;
      t.lo = -kInfinity, t.hi = kInfinity, t.a = rows.data(), t.c = to.data();
      for (size_t tap = 0; tap < s.taps; ++tap)
        for (size_t r = 0; r < t.rows; ++r) rows[tap * t.rows + r] = a.data() + ((row + r) * s.taps + tap) * s.depth;
      for (size_t r = 0; r < t.rows; ++r) to[r] = c.data() + (row + r) * s.n;
      for (size_t panel = 0; panel < panels; ++panel) {
        t.column = panel * kernel.nr, t.columns = std::min(kernel.nr, s.n - t.column);
        t.b = packed.data() + panel * k * kernel.nr, t.bias = bias.data() + t.column;
        kernel.tile(t);
      }
    }
  });
}

double depthwise_seconds(const SgemmKernel& kernel, size_t channels, size_t pixels, size_t taps) {
  std::vector<float> x((pixels + taps) * channels + kSlack, 0.5f), w(taps * channels + kSlack, 0.25f),
      bias(channels + kSlack, 1.0f);
  std::vector<float> y(pixels * channels + kSlack);
  std::vector<const float*> x_taps(taps), w_taps(taps);
  for (size_t t = 0; t < taps; ++t) x_taps[t] = x.data() + t * channels, w_taps[t] = w.data() + t * channels;
  DepthwiseStrip s{};
  s.channels = channels, s.pixels = pixels, s.taps = taps, s.x = x_taps.data(), s.w = w_taps.data(),
  s.x_step = channels;
  s.bias = bias.data(), s.lo = 0, s.hi = 6, s.y = y.data(), s.y_step = channels;
  return bench::seconds([&] { kernel.depthwise(s); });
}

}  // namespace

BENCH(sgemm) {
  size_t count = 0;
  const SgemmKernel* kernels = sgemm_kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    const SgemmKernel& kernel = kernels[i];
    for (const Size& s : kSizes) {
      if (!bench::wanted(kernel.isa, s.name)) continue;
      const double products = static_cast<double>(s.m * s.n) * static_cast<double>(s.depth * s.taps);
      bench::report("sgemm", {isa_name(kernel.isa), kernel.name, s.name, true, bench::Unit::kGmacs, products,
                              seconds_of(kernel, s)});
    }
    for (const size_t channels : {32, 144, 576}) {
      const std::string name = "depthwise 14 pixels x" + std::to_string(channels) + " 3x3";
      if (!bench::wanted(kernel.isa, name)) continue;
      const double products = static_cast<double>(14 * channels * 9);
      bench::report("sgemm", {isa_name(kernel.isa), kernel.name, name, true, bench::Unit::kGmacs, products,
                              depthwise_seconds(kernel, channels, 14, 9)});
    }
  }
}

}  // namespace octavo
