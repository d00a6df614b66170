// The kernels of rows.h over the vectors of simd/; every <isa>.cc compiles them for itself.
#pragma once

#include "kernels/rows/accumulate.h"
#include "kernels/rows/rows.h"

namespace octavo {
namespace {

template <class F>
inline void for_row(float* y, int64_t n, F f) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, f(i));
  if (i < n) store_first(y + i, f(i), n - i);
}

float reduce(Reduction kind, const float* x, int64_t n, float shift) {
  const F32 s = splat(shift);
  switch (kind) {
    case Reduction::kSum: return accumulate<Add>(n, [&](int64_t i) { return load(x + i); });
    case Reduction::kSumAbs: return accumulate<Add>(n, [&](int64_t i) { return abs(load(x + i)); });
    case Reduction::kSumSquares:
      return accumulate<Add>(n, [&](int64_t i) {
        const F32 v = load(x + i);
        return v * v;
      });
    case Reduction::kSumExp: return accumulate<Add>(n, [&](int64_t i) { return exp(load(x + i) - s); });
    case Reduction::kProduct: return accumulate<Multiply>(n, [&](int64_t i) { return load(x + i); });
    case Reduction::kMax: return accumulate<Largest>(n, [&](int64_t i) { return load(x + i); });
    case Reduction::kMin: return accumulate<Smallest>(n, [&](int64_t i) { return load(x + i); });
  }
  return 0;
}

void reduce_columns(Reduction kind, const float* x, float* y, int64_t n, int64_t stride, int64_t columns,
                    const float* shift) {
  const auto by_columns = [&](auto join, auto value) {
    for_row(y, columns, [&](int64_t c) {
      return accumulate_columns<decltype(join)>(n, [&](int64_t i) { return value(load(x + i * stride + c), c); });
    });
  };
  const auto same = [](F32 v, int64_t) { return v; };
  switch (kind) {
    case Reduction::kSum: return by_columns(Add(), same);
    case Reduction::kSumAbs: return by_columns(Add(), [](F32 v, int64_t) { return abs(v); });
    case Reduction::kSumSquares: return by_columns(Add(), [](F32 v, int64_t) { return v * v; });
    case Reduction::kSumExp: return by_columns(Add(), [&](F32 v, int64_t c) { return exp(v - load(shift + c)); });
    case Reduction::kProduct: return by_columns(Multiply(), same);
    case Reduction::kMax: return by_columns(Largest(), same);
    case Reduction::kMin: return by_columns(Smallest(), same);
  }
}

void softmax(const float* x, float* y, int64_t n, bool log_of) {
  const F32 top = splat(reduce(Reduction::kMax, x, n, 0));
  if (log_of) {
    const float sum = accumulate<Add>(n, [&](int64_t i) { return exp_down(load(x + i) - top); });
    const F32 log_sum = log(splat(sum));
    for_row(y, n, [&](int64_t i) { return (load(x + i) - top) - log_sum; });
    return;
  }
  for_row(y, n, [&](int64_t i) { return exp_down(load(x + i) - top); });
  const F32 sum = splat(accumulate<Add>(n, [&](int64_t i) { return load(y + i); }));
  for_row(y, n, [&](int64_t i) { return load(y + i) / sum; });
}

void softmax_columns(const float* x, float* y, int64_t n, int64_t stride, int64_t columns, bool log_of) {
  for (int64_t c = 0; c < columns; c += kLanes) {
    const int64_t width = columns - c < kLanes ? columns - c : kLanes;
    const auto at = [&](int64_t i) { return load(x + i * stride + c); };
    const auto put = [&](int64_t i, F32 v) {
      if (width == kLanes) store(y + i * stride + c, v);
      else store_first(y + i * stride + c, v, width);
    };
    const F32 top = accumulate_columns<Largest>(n, at);
    if (log_of) {
      const F32 log_sum = log(accumulate_columns<Add>(n, [&](int64_t i) { return exp_down(at(i) - top); }));
      for (int64_t i = 0; i < n; ++i) put(i, (at(i) - top) - log_sum);
    } else {
      for (int64_t i = 0; i < n; ++i) put(i, exp_down(at(i) - top));
      const F32 sum = accumulate_columns<Add>(n, [&](int64_t i) { return load(y + i * stride + c); });
      for (int64_t i = 0; i < n; ++i) put(i, load(y + i * stride + c) / sum);
    }
  }
}

float squared_deviations(const float* x, int64_t n, float mean) {
  const F32 m = splat(mean);
  return accumulate<Add>(n, [&](int64_t i) {
    const F32 d = load(x + i) - m;
    return d * d;
  });
}

void normalize(const float* x, float* y, int64_t n, float mean, float a, float b) {
  const F32 m = splat(mean), va = splat(a), vb = splat(b);
  for_row(y, n, [&](int64_t i) { return (load(x + i) - m) * va + vb; });
}

void layer_norm(const LayerNormRow& p, const float* x, float* y, int64_t n, float* mean_out, float* inverse_out) {
  const float count = static_cast<float>(n);
  const float mean = p.rms ? 0.0f : reduce(Reduction::kSum, x, n, 0) / count;
  const float variance = squared_deviations(x, n, mean) / count;
  const float inverse = first_lane(splat(1.0f) / sqrt(splat(variance + p.epsilon)));
  const F32 m = splat(mean), v = splat(inverse);
  if (p.scale != nullptr && p.bias != nullptr)
    for_row(y, n, [&](int64_t i) { return (load(x + i) - m) * v * load(p.scale + i) + load(p.bias + i); });
  else if (p.scale != nullptr) for_row(y, n, [&](int64_t i) { return (load(x + i) - m) * v * load(p.scale + i); });
  else if (p.bias != nullptr) for_row(y, n, [&](int64_t i) { return (load(x + i) - m) * v + load(p.bias + i); });
  else for_row(y, n, [&](int64_t i) { return (load(x + i) - m) * v; });
  *mean_out = mean;
  *inverse_out = inverse;
}

// `max(x, a)` gives a where x is NaN.
struct LargestNumber {
  static F32 start() { return splat(0.0f); }
  static F32 join(F32 a, F32 x) { return max(x, a); }
};
void range(const float* x, int64_t n, float* lowest, float* highest) {
  // The smallest of x is the largest of -x: both in one pass.
  float largest[2];
  accumulate_rows<LargestNumber>(n, largest, [&](int side, int64_t i) {
    const F32 v = load(x + i);
    return side == 0 ? v : negate(v);
  });
  *highest = largest[0];
  *lowest = 0.0f - largest[1];
}

}  // namespace
}  // namespace octavo
