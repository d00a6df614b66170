// Rows of floats to integers, a scale for each part: the quantization of blockgemm.h.
#pragma once

#include <type_traits>

#include "kernels/blockgemm/parts.h"
#include "simd/vec.h"

namespace octavo {
namespace {

// Numbers under it count as zero: the reciprocal of their scale would not be a float.
constexpr float kLeastRange = 0x1p-100f;

// The lanes past `left` are zero.
inline F32 load_left(const float* x, size_t left) {
  if (left >= static_cast<size_t>(kLanes)) return load(x);
  float lanes[kLanes] = {};
  std::memcpy(lanes, x, left * sizeof(float));
  return load(lanes);
}

// Combines all lanes into the first.
template <class F>
inline int32_t across(I32 v, F&& combine) {
  const auto fold = [&](auto n) {
    if constexpr (kLanes > n()) v = combine(v, bits(shift_down<n()>(from_bits(v))));
  };
  fold(std::integral_constant<int, 8>{});
  fold(std::integral_constant<int, 4>{});
  fold(std::integral_constant<int, 2>{});
  fold(std::integral_constant<int, 1>{});
  int32_t lanes[kLanes];
  store(lanes, v);
  return lanes[0];
}

// `left` numbers of the part's `padded`.
inline void quantize_part(const float* x, size_t left, size_t padded, int8_t* q, float* scale, int32_t* sum) {
  // Magnitudes of floats are ordered as their bits are; NaN lies above all of them, so the scale becomes NaN.
  I32 most = splat(0);
  for (size_t i = 0; i < left; i += kLanes) most = max(most, bits(load_left(x + i, left - i)) & splat(0x7FFFFFFF));
  const int32_t most_bits = across(most, [](I32 a, I32 b) { return max(a, b); });
  float range;
  std::memcpy(&range, &most_bits, sizeof(range));
  if (range < kLeastRange) {
    std::memset(q, 0, padded);
    *scale = 0.0f;
    *sum = 0;
    return;
  }
  *scale = range / 127.0f;
  const F32 inverse = splat(1.0f / *scale), high = splat(127.0f), low = splat(-127.0f);
  I32 total = splat(0);
  for (size_t i = 0; i < padded; i += kLanes) {
    const F32 v = i < left ? load_left(x + i, left - i) : splat(0.0f);
    const I32 level = to_int(max(min(rint(v * inverse), high), low));
    total = total + level;
    store_bytes(reinterpret_cast<uint8_t*>(q) + i, level);
  }
  *sum = across(total, [](I32 a, I32 b) { return a + b; });
}

void quantize_row(const BlockLayout& l, const float* x, size_t k, int8_t* q, float* scales, int32_t* sums,
                  size_t stride) {
  size_t from = 0;
  for_parts(l, [&](size_t, size_t part, size_t at, size_t length) {
    const size_t left = from >= k ? 0 : k - from < length ? k - from : length;
    quantize_part(x + (left == 0 ? 0 : from), left, padded_depth(length), q + at, scales + part * stride,
                  sums + part * stride);
    from += length;
  });
}

}  // namespace
}  // namespace octavo
