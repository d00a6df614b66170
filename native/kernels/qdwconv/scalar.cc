// The specification of qdwconv.
#include <cstring>

#include "kernels/qdwconv/qdwconv.h"

namespace octavo {
namespace {

template <class A>
void run_scalar(const QDwTile& t) {
  const auto* weights = static_cast<const int16_t*>(t.weights);
  for (size_t p = 0; p < t.pixels; ++p) {
    const uint8_t** columns = t.list;  // of the taps of this pixel
    for (size_t y = 0; y < t.window.height; ++y)
      for (size_t x = 0; x < t.window.width; ++x) {
        const ptrdiff_t at = t.first + static_cast<ptrdiff_t>(p * t.window.stride + x * t.window.dilation);
        const bool inside = at >= 0 && static_cast<size_t>(at) < t.columns;
        *columns++ = inside ? t.rows[y] + static_cast<size_t>(at) * t.channels : t.zeros;
      }
    uint8_t* out = static_cast<uint8_t*>(t.c) + p * t.c_stride;
    for (size_t c = 0; c < t.channels; ++c) {
      uint32_t acc = static_cast<uint32_t>(t.bias[c]);  // unsigned: wraps
      for (size_t tap = 0; tap < t.window.taps(); ++tap) {
        const int32_t a = static_cast<A>(t.list[tap][c]);
        acc += static_cast<uint32_t>(a * weights[tap * t.channels + c]);
      }
      const int32_t sum = static_cast<int32_t>(acc);
      if (t.to_int32) reinterpret_cast<int32_t*>(out)[c] = sum;
      else out[c] = static_cast<uint8_t>(requantize_one(sum, t.multiplier[c], t.requantize));
    }
  }
}

}  // namespace

void qdwconv_scalar_pack(const QDwWindow& window, const int16_t* weights, size_t channels, void* out) {
  std::memcpy(out, weights, window.taps() * channels * sizeof(int16_t));
}
void qdwconv_scalar_s8(const QDwTile& t) { run_scalar<int8_t>(t); }
void qdwconv_scalar_u8(const QDwTile& t) { run_scalar<uint8_t>(t); }

}  // namespace octavo
