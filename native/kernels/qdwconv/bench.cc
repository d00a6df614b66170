// Nanoseconds of one output row, and outputs a nanosecond, of every kernel this CPU runs, one core.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "cpu/isa.h"
#include "kernels/qdwconv/qdwconv.h"
#include "test/bench.h"

namespace octavo {
namespace {

struct Size {
  size_t pixels, channels, kernel, stride;
};

double row_seconds(const QDwKernel& kernel, const Size& s) {
  const size_t taps = s.kernel * s.kernel, padded = (s.channels + kQDwChannels - 1) / kQDwChannels * kQDwChannels;
  QDwTile t;
  t.window = {s.kernel, s.kernel, s.stride, 1};
  t.columns = s.pixels * s.stride, t.pixels = s.pixels, t.channels = s.channels;
  t.first = -static_cast<ptrdiff_t>(s.kernel / 2);
  std::vector<uint8_t> image(s.kernel * t.columns * s.channels + kQDwOverRead, 3), zeros(s.channels + kQDwOverRead), out(s.pixels * s.channels);
  std::vector<const uint8_t*> rows, list(kQDwListed * (taps + 3));
  for (size_t y = 0; y < s.kernel; ++y) rows.push_back(image.data() + y * t.columns * s.channels);
  std::vector<int16_t> weights(taps * s.channels, 5);
  std::vector<int32_t> bias(padded);
  std::vector<float> multiplier(padded, 1e-3f);
  size_t bytes = 0;
  if (!qdwconv_packed_bytes(kernel, t.window, s.channels, &bytes)) return 0;
  std::vector<uint8_t> packed(bytes);
  kernel.pack(t.window, weights.data(), s.channels, packed.data());
  t.rows = rows.data(), t.zeros = zeros.data(), t.list = list.data();
  t.weights = packed.data(), t.bias = bias.data(), t.multiplier = multiplier.data();
  t.requantize = {-128, 127, 128}, t.to_int32 = false, t.c = out.data(), t.c_stride = s.channels;
  // The least of many short samples: what a busy machine leaves of it.
  double least = 1;
  for (int sample = 0; sample < 200; ++sample) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 8; ++i) kernel.u8(t);
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 8);
  }
  return least;
}

}  // namespace

BENCH(qdwconv) {
  const Size sizes[] = {{112, 32, 3, 1}, {56, 96, 3, 2}, {56, 144, 3, 1}, {14, 576, 3, 1}, {7, 960, 3, 1}, {28, 240, 5, 1}, {28, 144, 5, 2}, {28, 128, 7, 1}};
  size_t count = 0;
  const QDwKernel* kernels = qdwconv_kernels(&count);
  for (size_t i = 0; i < count; ++i)
    for (const Size& s : sizes) {
      if (!isa_supported(kernels[i].isa)) continue;
      const double ns = row_seconds(kernels[i], s) * 1e9;
      std::printf("%-40s %3zu pixels x %3zu, %zux%zu / %zu  %9.1f ns %7.2f outputs/ns\n", kernels[i].name, s.pixels, s.channels, s.kernel,
                  s.kernel, s.stride, ns, static_cast<double>(s.pixels * s.channels) / ns);
    }
}

}  // namespace octavo
