// The kernel of qsoftmax.h over the vectors of simd/; every <isa>.cc compiles it for itself.
#pragma once

#include "kernels/qsoftmax/qsoftmax.h"
#include "kernels/qsoftmax/sixteen.h"
#include "kernels/rows/accumulate.h"

namespace octavo {
namespace {

template <int n>
inline int32_t largest_lane(I32 a) {
  if constexpr (n == 1) {
    int32_t lanes[kLanes];
    store(lanes, a);
    return lanes[0];
  } else {
    return largest_lane<n / 2>(max(a, bits(shift_down<n / 2>(from_bits(a)))));
  }
}

// Lanes past the end of a row repeat its first byte.
template <bool kSigned>
inline I32 largest(const uint8_t* x, int64_t n) {
  const I32 first = splat(kSigned ? static_cast<int32_t>(static_cast<int8_t>(x[0])) : static_cast<int32_t>(x[0]));
  I32 best = first;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) best = max(best, load_bytes<kSigned>(x + i));
  if (i < n) best = max(best, bits(first_lanes(n - i, from_bits(load_bytes<kSigned>(x + i)), from_bits(first))));
  return splat(largest_lane<kLanes>(best));
}

template <bool kSigned>
inline void row_typed(const QSoftmaxParameters& p, const uint8_t* x, uint8_t* y, int64_t n, float* values) {
  const Sixteen coarse = load_sixteen(p.coarse), fine = load_sixteen(p.fine);
  const I32 top = largest<kSigned>(x, n);
  const float sum = accumulate<Add>(n, [&](int64_t i) {
    const I32 distance = top - load_bytes<kSigned>(x + i);
    const F32 e = look_up(coarse, shift_right<4>(distance)) * look_up(fine, distance);
    store(values + i, e);
    return e;
  });

  const F32 m = splat(1.0f / (sum * p.y_scale));
  const F32 lo = splat(static_cast<float>(p.qmin - p.zp)), hi = splat(static_cast<float>(p.qmax - p.zp));
  const I32 zp = splat(p.zp);
  const auto quantized = [&](int64_t i) { return to_int(rint(min(max(load(values + i) * m, lo), hi))) + zp; };
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store_bytes(y + i, quantized(i));
  if (i < n) store_bytes_first(y + i, quantized(i), n - i);
}

void row(const QSoftmaxParameters& p, const uint8_t* x, uint8_t* y, int64_t n, float* values) {
  if (p.is_signed) row_typed<true>(p, x, y, n, values);
  else row_typed<false>(p, x, y, n, values);
}

}  // namespace
}  // namespace octavo
