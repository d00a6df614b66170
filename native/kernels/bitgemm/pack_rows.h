// Rows of bytes to rows of signs, 32 bytes at a time.
#pragma once

#include <cstring>

#include "kernels/bitgemm/bitgemm.h"

namespace octavo {
namespace {

// Set bits of a word (Hacker's Delight, 5-1): no CPU without an instruction for it calls a library.
inline int32_t bits_of(uint32_t v) {
  v = v - ((v >> 1) & 0x55555555u);
  v = (v & 0x33333333u) + ((v >> 2) & 0x33333333u);
  return static_cast<int32_t>((((v + (v >> 4)) & 0x0F0F0F0Fu) * 0x01010101u) >> 24);
}

struct SignWord {
  uint32_t positive, nonzero;
};

// V: the signs of 32 bytes: static SignWord signs(const uint8_t* x, uint8_t flip, uint8_t zero).
template <class V>
void pack_rows(const BitRows& rows) {
  const BitRows b = rows;  // what is written might be those sizes
  const size_t whole = b.count / 32, rest = b.count % 32;
  for (size_t r = 0; r < b.rows; ++r) {
    const uint8_t* x = b.x + r * b.stride;
    uint32_t *positive = b.positive + r * b.words, *nonzero = b.nonzero + r * b.words;
    int32_t present = 0, above = 0;
    const auto put = [&](size_t i, SignWord word) {
      positive[i] = word.positive, nonzero[i] = word.nonzero;
      present += bits_of(word.nonzero), above += bits_of(word.positive);
    };
    for (size_t i = 0; i < whole; ++i) put(i, V::signs(x + i * 32, b.flip, b.zero));
    if (rest > 0) {
      uint8_t last[32];
      std::memset(last, b.zero ^ b.flip, 32);
      std::memcpy(last, x + whole * 32, rest);
      put(whole, V::signs(last, b.flip, b.zero));
    }
    b.present[r] = present;
    b.sums[r] = 2 * above - present;
  }
}

}  // namespace
}  // namespace octavo
