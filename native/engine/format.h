// The word for a quantized number, as lib/graph/format.ts has it: the integers that a format has, and how they are
// stored.
#pragma once

#include <cstdint>

#include "engine/tensor.h"

namespace octavo {

// The integers of a quantized number: two's complement or unsigned, of `bits` bits, of which [low, high] are used.
struct Format {
  int bits = 8;
  bool is_signed = false;
  int32_t low = 0, high = 255;

  int32_t levels() const { return high - low + 1; }
  // Elements in a byte: 1 but for sub-byte formats.
  int per_byte() const { return bits < 8 ? 8 / bits : 1; }
  // The level that the lowest `bits` bits of a word are.
  int32_t decode(uint32_t stored) const {
    const uint32_t mask = (1u << bits) - 1, top = is_signed ? 1u << (bits - 1) : 0;
    return static_cast<int32_t>((stored & mask) ^ top) - static_cast<int32_t>(top);
  }
};

constexpr bool is_signed_format(DType t) {
  return t == DType::kInt8 || t == DType::kInt16 || t == DType::kInt4 || t == DType::kInt2;
}

// Whether elements of a type can be levels of a quantized number.
constexpr bool is_quantized_format(DType t) {
  switch (t) {
    case DType::kUint8:
    case DType::kInt8:
    case DType::kUint16:
    case DType::kInt16:
    case DType::kUint4:
    case DType::kInt4:
    case DType::kUint2:
    case DType::kInt2:
    case DType::kUint1: return true;
    default: return false;
  }
}

// The format of a type that is_quantized_format, all its levels in use.
constexpr Format format_of(DType t) {
  const int bits = bit_width(t);
  const bool is_signed = is_signed_format(t);
  const int32_t low = is_signed ? -(1 << (bits - 1)) : 0;
  return {bits, is_signed, low, low + (1 << bits) - 1};
}

// Element i of a dense tensor of a quantized format; sub-byte elements start at the lowest bits of a byte.
inline int32_t level_at(const void* data, size_t i, const Format& f) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  if (f.bits == 16) return f.decode(static_cast<uint32_t>(bytes[2 * i] | bytes[2 * i + 1] << 8));
  if (f.bits == 8) return f.decode(bytes[i]);
  const size_t per_byte = static_cast<size_t>(f.per_byte());
  return f.decode(static_cast<uint32_t>(bytes[i / per_byte]) >> (i % per_byte * static_cast<size_t>(f.bits)));
}

// Writes element i. Sub-byte elements share a byte: they are written in order, from the first of a byte on.
inline void set_level(void* data, size_t i, const Format& f, int32_t level) {
  auto* bytes = static_cast<uint8_t*>(data);
  const uint32_t stored = static_cast<uint32_t>(level);
  if (f.bits == 16) bytes[2 * i] = static_cast<uint8_t>(stored), bytes[2 * i + 1] = static_cast<uint8_t>(stored >> 8);
  else if (f.bits == 8) bytes[i] = static_cast<uint8_t>(stored);
  else {
    const size_t per_byte = static_cast<size_t>(f.per_byte()), shift = i % per_byte * static_cast<size_t>(f.bits);
    const uint32_t before = shift == 0 ? 0 : bytes[i / per_byte], mask = (1u << f.bits) - 1;
    bytes[i / per_byte] = static_cast<uint8_t>(before | (stored & mask) << shift);
  }
}

}  // namespace octavo
