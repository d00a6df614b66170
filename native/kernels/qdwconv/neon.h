// NEON, both ARMv8 and ARMv7: eight channels, each tap widened to 16 bits and multiplied into 32.
#pragma once

#include "kernels/qdwconv/qdwconv.h"
#include "kernels/requantize/neon.h"

namespace octavo {
namespace {

template <bool kSigned>
inline int16x8_t load_widened(const uint8_t* p) {
  const uint8x8_t bytes = vld1_u8(p);
  return kSigned ? vmovl_s8(vreinterpret_s8_u8(bytes)) : vreinterpretq_s16_u16(vmovl_u8(bytes));
}

template <bool kSigned>
void qdw_tile(const QDwTile& t) {
  const NeonRequantize requantize(t.requantize);
  for (size_t p = 0; p < t.pixels; ++p) {
    const uint8_t* const* rows = t.rows + p * t.taps;
    uint8_t* out = static_cast<uint8_t*>(t.c) + p * t.c_stride;
    for (size_t c = 0; c < t.channels; c += 8) {
      int32x4_t acc0 = vld1q_s32(t.bias + c), acc1 = vld1q_s32(t.bias + c + 4);
      const int16_t* weights = t.weights + c * 2;
      for (size_t tap = 0; tap < t.taps; tap += 2, weights += t.padded * 2) {
        const int16x8x2_t w = vld2q_s16(weights);
        const int16x8_t x = load_widened<kSigned>(rows[tap] + c), y = load_widened<kSigned>(rows[tap + 1] + c);
        acc0 = vmlal_s16(acc0, vget_low_s16(x), vget_low_s16(w.val[0]));
        acc1 = vmlal_s16(acc1, vget_high_s16(x), vget_high_s16(w.val[0]));
        acc0 = vmlal_s16(acc0, vget_low_s16(y), vget_low_s16(w.val[1]));
        acc1 = vmlal_s16(acc1, vget_high_s16(y), vget_high_s16(w.val[1]));
      }
      const size_t n = t.channels - c;
      if (t.to_int32) {
        int32_t* words = reinterpret_cast<int32_t*>(out) + c;
        store_words(words, acc0, n);
        if (n > 4) store_words(words + 4, acc1, n - 4);
      } else {
        store_low_bytes(out + c, requantize(acc0, vld1q_f32(t.multiplier + c)), requantize(acc1, vld1q_f32(t.multiplier + c + 4)), n);
      }
    }
  }
}

}  // namespace
}  // namespace octavo
