// Eight columns of accumulators to memory, for the kernels with dot products.
#pragma once

#include "kernels/qgemm/qgemm.h"
#include "kernels/requantize/neon.h"

namespace octavo {
namespace {

inline void store_row(const QGemmTile& t, const NeonRequantize& requantize, size_t row, int32x4_t a0, int32x4_t a1) {
  uint8_t* c = static_cast<uint8_t*>(t.c) + row * t.c_stride;
  if (t.store == QGemmStore::kInt32) {
    int32_t* words = reinterpret_cast<int32_t*>(c);
    store_words(words, a0, t.n);
    if (t.n > 4) store_words(words + 4, a1, t.n - 4);
    return;
  }
  store_low_bytes(c, requantize(a0, vld1q_f32(t.multiplier)), requantize(a1, vld1q_f32(t.multiplier + 4)), t.n);
}

}  // namespace
}  // namespace octavo
