// Products a second of every kernel, over the depthwise layers of MobileNetV2 (3x3) and EfficientNet-Lite0 (5x5).
#include <string>
#include <vector>

#include "kernels/qdwconv/qdwconv.h"
#include "test/bench.h"

namespace octavo {
namespace {

struct Image {
  size_t pixels, channels, kernel, stride;  // of the output, which is square

  std::string name() const {
    return std::to_string(pixels) + "x" + std::to_string(pixels) + "x" + std::to_string(channels) + " " +
           std::to_string(kernel) + "x" + std::to_string(kernel) + (stride == 2 ? " stride 2" : "");
  }
};

constexpr Image kImages[] = {{112, 32, 3, 1}, {56, 96, 3, 2},  {56, 144, 3, 1}, {28, 192, 3, 1},
                             {14, 384, 3, 1}, {14, 576, 3, 1}, {7, 960, 3, 1},  {28, 144, 5, 2},
                             {28, 240, 5, 1}, {14, 672, 5, 1}, {7, 1152, 5, 1}, {28, 128, 7, 1}};

double seconds_of(const QDwKernel& kernel, const Image& i) {
  const size_t taps = i.kernel * i.kernel, side = i.pixels * i.stride,
               padded = (i.channels + kQDwChannels - 1) / kQDwChannels * kQDwChannels;
  QDwTile t;
  t.window = {i.kernel, i.kernel, i.stride, 1};
  size_t bytes = 0;
  if (!qdwconv_packed_bytes(kernel, t.window, i.channels, &bytes)) return 0;
  std::vector<uint8_t> image((side + i.kernel) * side * i.channels + kQDwOverRead, 3), zeros(i.channels + kQDwOverRead),
      out(i.pixels * i.channels);
  std::vector<int16_t> weights(taps * i.channels, 5);
  std::vector<uint8_t> packed(bytes);
  std::vector<int32_t> bias(padded, 7);
  std::vector<float> multiplier(padded, 1e-3f);
  kernel.pack(t.window, weights.data(), i.channels, packed.data());
  std::vector<const uint8_t*> rows(i.kernel), list(kQDwListed * (taps + 3));
  t.rows = rows.data(), t.zeros = zeros.data(), t.first = -static_cast<ptrdiff_t>(i.kernel / 2), t.columns = side,
  t.pixels = i.pixels;
  t.channels = i.channels, t.weights = packed.data(), t.bias = bias.data(), t.multiplier = multiplier.data();
  t.requantize = {-128, 127, 0, true}, t.to_int32 = false, t.c = out.data(), t.c_stride = i.channels,
  t.list = list.data();
  return bench::seconds([&] {
    for (size_t y = 0; y < i.pixels; ++y) {
      for (size_t k = 0; k < i.kernel; ++k) rows[k] = image.data() + (y * i.stride + k) * side * i.channels;
      kernel.u8(t);
    }
  });
}

}  // namespace

BENCH(qdwconv) {
  size_t count = 0;
  const QDwKernel* kernels = qdwconv_kernels(&count);
  for (size_t k = 0; k < count; ++k) {
    for (const Image& i : kImages) {
      if (!bench::wanted(kernels[k].isa, i.name())) continue;
      const double products = static_cast<double>(i.pixels * i.pixels * i.channels * i.kernel * i.kernel);
      bench::report("qdwconv", {isa_name(kernels[k].isa), kernels[k].name, i.name(), false, bench::Unit::kGmacs,
                                products, seconds_of(kernels[k], i)});
    }
  }
}

}  // namespace octavo
