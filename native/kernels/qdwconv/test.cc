// Every kernel this CPU runs against scalar, bit for bit: windows, borders, channels around the vector widths, poisoned
// padding.
#include <vector>

#include "cpu/isa.h"
#include "kernels/qdwconv/qdwconv.h"
#include "test/op_fixture.h"

namespace octavo::test {
namespace {

struct Image {
  size_t columns, pixels;
  ptrdiff_t first;
};

void check(const QDwKernel& kernel, const QDwKernel& scalar, const QDwWindow& window, const Image& image,
           size_t channels, int variant, uint64_t seed) {
  Random r(seed);
  const bool is_signed = variant & 1, to_int32 = variant & 2, small = variant & 4, exact = small && seed % 3 > 0;
  const size_t out_rows = 1 + seed % qdwconv_rows(kernel, window);
  const size_t padded = (channels + kQDwChannels - 1) / kQDwChannels * kQDwChannels, taps = window.taps();
  const auto bytes = [&](Guarded& m) {
    for (size_t i = 0; i < m.size(); ++i)
      m.data()[i] = static_cast<uint8_t>(r.between(0, 3) == 0 ? (r.next() & 1 ? 0x80 : 0xFF) : r.next());
  };
  std::vector<Guarded> memory;
  std::vector<const uint8_t*> rows;
  for (size_t y = 0; y < window.height + out_rows - 1; ++y)
    memory.emplace_back(image.columns * channels, y % 2 ? uint8_t{0xFF} : uint8_t{0x80});
  for (Guarded& m : memory) bytes(m), rows.push_back(m.data());
  Guarded zeros(channels, 0x7F);
  bytes(zeros);
  std::vector<int16_t> weights(channels * taps);
  for (int16_t& w : weights)
    w = static_cast<int16_t>(r.between(0, 2) == 0 ? (r.next() & 1 ? kernel.low : kernel.high)
                                                  : r.between(kernel.low, kernel.high));
  std::vector<int32_t> bias(padded);
  std::vector<float> multiplier(padded);
  for (size_t c = 0; c < padded; ++c) {
    bias[c] = static_cast<int32_t>(r.between(0, 15) == 0 && !exact ? r.next()
                                                                   : static_cast<uint64_t>(r.between(-100000, 100000)));
    multiplier[c] = exact || r.between(0, 15) > 0 ? r.real(1e-5f, 9e-3f)
                    : small                       ? r.real(0.1f, 0.499f)
                                                  : r.real(1e2f, 1e30f);
  }

  QDwTile t;
  t.window = window;
  t.zeros = zeros.data();
  t.first = image.first, t.columns = image.columns, t.pixels = image.pixels, t.channels = channels;
  t.bias = bias.data(), t.multiplier = multiplier.data();
  // Within a type, and all of it with zero points even and odd.
  const Requantize bounds[] = {{-121, 90, -7}, {-13, 230, 15}, {0, 255, -128},  {-131, 124, 3},
                               {0, 255, 0},    {-17, 238, 17}, {-100, 155, -28}};
  t.requantize = bounds[seed % 7];
  t.requantize.fits_int32 = small;
  // Of 49 taps: 100000 + 49 * 255 * 255 is below 2^22, and times 0.009 below 32000.
  t.requantize.fits_int16 = t.requantize.exact_float = exact;
  t.to_int32 = to_int32;
  t.c_stride = channels * (to_int32 ? 4 : 1);
  std::vector<const uint8_t*> list(kQDwListed * (taps + 3));
  t.list = list.data();
  t.c_row_stride = image.pixels * t.c_stride;
  Guarded got(out_rows * t.c_row_stride, 0x55), want(out_rows * t.c_row_stride, 0x55);
  const auto run = [&](const QDwKernel& k, size_t at_once, Guarded& out) {
    size_t size = 0;
    EXPECT(qdwconv_packed_bytes(k, window, channels, &size));
    Guarded packed(size, 0x33);
    k.pack(window, weights.data(), channels, packed.data());
    t.weights = packed.data(), t.out_rows = at_once;
    for (size_t row = 0; row < out_rows; row += at_once) {
      t.rows = rows.data() + row, t.c = out.data() + row * t.c_row_stride;
      (is_signed ? k.s8 : k.u8)(t);
    }
    EXPECT(packed.intact());
  };
  run(kernel, out_rows, got);
  run(scalar, 1, want);
  EXPECT(got.intact());
  EXPECT_SAME(got.data(), want.data(), got.size(),
              std::string(kernel.name) + " channels " + std::to_string(channels) + " window " +
                  std::to_string(window.height) + "x" + std::to_string(window.width) + " stride " +
                  std::to_string(window.stride) + " dilation " + std::to_string(window.dilation) + " rows " +
                  std::to_string(out_rows) + " variant " + std::to_string(variant));
}

}  // namespace

TEST(qdwconv_kernels_agree_with_scalar) {
  const QDwWindow windows[] = {{3, 3, 1, 1}, {3, 3, 2, 1}, {5, 5, 1, 1}, {5, 5, 2, 1}, {1, 1, 1, 1}, {1, 4, 1, 1},
                               {3, 3, 1, 2}, {3, 3, 3, 1}, {2, 3, 2, 1}, {7, 7, 1, 1}, {4, 1, 1, 1}, {1, 9, 1, 2}};
  // Inside alone, borders on both sides, an image narrower than the window, all outside.
  const Image images[] = {{40, 9, 1}, {9, 9, -1}, {7, 5, -2}, {1, 3, -1}, {2, 4, -6}, {3, 2, 5}};
  size_t count = 0;
  const QDwKernel* kernels = qdwconv_kernels(&count);
  for (size_t i = 0; i + 1 < count; ++i) {
    if (!isa_supported(kernels[i].isa)) {
      std::printf("  %s: not on this CPU\n", kernels[i].name);
      continue;
    }
    uint64_t seed = 0;
    for (size_t channels : {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100, 144})
      for (const QDwWindow& window : windows)
        for (const Image& image : images) {
          ++seed;
          check(kernels[i], kernels[count - 1], window, image, channels, static_cast<int>((seed * 7 + channels) % 8),
                seed);
        }
  }
}

}  // namespace octavo::test
