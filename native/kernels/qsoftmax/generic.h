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

// Rows at once: one alone waits for its sums. Sixteen registers are too few for two.
#if defined(OCTAVO_SIMD_SCALAR) || (defined(__ARM_NEON) && !defined(__aarch64__))
constexpr int kRowsAtOnce = 1;
#else
constexpr int kRowsAtOnce = 2;
#endif

template <bool kSigned, int R>
inline void some_rows(const QSoftmaxParameters& p, const uint8_t* x, uint8_t* y, int64_t n, float* values,
                      int64_t stride) {
  const Sixteen coarse = load_sixteen(p.coarse), fine = load_sixteen(p.fine);
  I32 top[R];
  for (int r = 0; r < R; ++r) top[r] = largest<kSigned>(x + r * n, n);
  float sums[R];
  accumulate_rows<Add>(n, sums, [&](int r, int64_t i) {
    const I32 distance = top[r] - load_bytes<kSigned>(x + r * n + i);
    const F32 e = look_up(coarse, shift_right<4>(distance)) * look_up(fine, distance);
    store(values + r * stride + i, e);
    return e;
  });

  const F32 lo = splat(static_cast<float>(p.qmin - p.zp)), hi = splat(static_cast<float>(p.qmax - p.zp));
  const I32 zp = splat(p.zp);
  for (int r = 0; r < R; ++r) {
    const F32 m = splat(1.0f / (sums[r] * p.y_scale));
    const float* e = values + r * stride;
    uint8_t* to = y + r * n;
    const auto quantized = [&](int64_t i) { return to_int(rint(min(max(load(e + i) * m, lo), hi))) + zp; };
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store_bytes(to + i, quantized(i));
    if (i < n) store_bytes_first(to + i, quantized(i), n - i);
  }
}

template <bool kSigned>
inline void rows_typed(const QSoftmaxParameters& p, const uint8_t* x, uint8_t* y, int64_t n, int64_t rows,
                       float* values) {
  const int64_t stride = qsoftmax_values(n) / 2;
  int64_t row = 0;
  for (; row + kRowsAtOnce <= rows; row += kRowsAtOnce)
    some_rows<kSigned, kRowsAtOnce>(p, x + row * n, y + row * n, n, values, stride);
  if (row < rows) some_rows<kSigned, 1>(p, x + row * n, y + row * n, n, values, stride);
}

void rows(const QSoftmaxParameters& p, const uint8_t* x, uint8_t* y, int64_t n, int64_t count, float* values) {
  if (p.is_signed) rows_typed<true>(p, x, y, n, count, values);
  else rows_typed<false>(p, x, y, n, count, values);
}

}  // namespace
}  // namespace octavo
