// The kernel of qsoftmax.h over the vectors of simd/; every <isa>.cc compiles it for itself.
#pragma once

#include "kernels/qsoftmax/qsoftmax.h"
#include "kernels/qsoftmax/sixteen.h"
#include "kernels/rows/accumulate.h"

namespace octavo {
namespace {

template <bool kSigned>
inline int32_t largest(const uint8_t* x, int64_t n) {
  int32_t top = kSigned ? static_cast<int8_t>(x[0]) : x[0];
  int64_t i = 0;
  if (n >= kLanes) {
    I32 best = load_bytes<kSigned>(x);
    for (i = kLanes; i + kLanes <= n; i += kLanes) best = max(best, load_bytes<kSigned>(x + i));
    int32_t lanes[kLanes];
    store(lanes, best);
    for (int32_t v : lanes) top = v > top ? v : top;
  }
  for (; i < n; ++i) {
    const int32_t v = kSigned ? static_cast<int8_t>(x[i]) : x[i];
    top = v > top ? v : top;
  }
  return top;
}

template <bool kSigned>
inline void row_typed(const QSoftmaxParameters& p, const uint8_t* x, uint8_t* y, int64_t n, float* values) {
  const Sixteen coarse = load_sixteen(p.coarse), fine = load_sixteen(p.fine);
  const I32 top = splat(largest<kSigned>(x, n));
  const float sum = accumulate<Add>(n, [&](int64_t i) {
    const I32 distance = top - load_bytes<kSigned>(x + i);
    const F32 e = look_up(coarse, shift_right<4>(distance)) * look_up(fine, distance);
    store(values + i, e);
    return e;
  });

  const F32 m = splat(1.0f) / (splat(sum) * splat(p.y_scale));
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
