// The specification of qdwconv.
#include "kernels/qdwconv/qdwconv.h"

namespace octavo {
namespace {

template <class A>
void tile_scalar(const QDwTile& t) {
  for (size_t p = 0; p < t.pixels; ++p) {
    const uint8_t* const* rows = t.rows + p * t.taps;
    uint8_t* out = static_cast<uint8_t*>(t.c) + p * t.c_stride;
    for (size_t c = 0; c < t.channels; ++c) {
      uint32_t acc = static_cast<uint32_t>(t.bias[c]);  // unsigned: wraps
      for (size_t tap = 0; tap < t.taps; ++tap) {
        const int32_t a = static_cast<A>(rows[tap][c]);
        acc += static_cast<uint32_t>(a * t.weights[(tap / 2 * t.padded + c) * 2 + tap % 2]);
      }
      const int32_t sum = static_cast<int32_t>(acc);
      if (t.to_int32)
        reinterpret_cast<int32_t*>(out)[c] = sum;
      else
        out[c] = static_cast<uint8_t>(requantize_one(sum, t.multiplier[c], t.requantize));
    }
  }
}

}  // namespace

void qdwconv_scalar_s8(const QDwTile& t) { tile_scalar<int8_t>(t); }
void qdwconv_scalar_u8(const QDwTile& t) { tile_scalar<uint8_t>(t); }

}  // namespace octavo
