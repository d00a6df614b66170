// Levels of a packed format to bytes: int8 for formats of less than 8 bits, whatever their sign, and the same bytes for
// those of 8.
#pragma once

#include <cstring>

#include "engine/format.h"

namespace octavo {

// Elements [first, first + count) of `data`.
inline void unpack_levels(const uint8_t* data, size_t first, size_t count, const Format& f, uint8_t* out) {
  if (f.bits == 8) {
    if (count > 0) std::memcpy(out, data + first, count);
    return;
  }
  const size_t per_byte = static_cast<size_t>(f.per_byte());
  size_t i = 0;
  const auto one = [&] { out[i] = static_cast<uint8_t>(level_at(data, first + i, f)), ++i; };
  while (i < count && (first + i) % per_byte != 0) one();
  if (f.bits == 4) {
    const uint8_t* from = data + (first + i) / 2;
    for (; i + 2 <= count; i += 2, ++from) {
      out[i] = static_cast<uint8_t>(f.decode(*from));
      out[i + 1] = static_cast<uint8_t>(f.decode(*from >> 4));
    }
  }
  while (i < count) one();
}

}  // namespace octavo
