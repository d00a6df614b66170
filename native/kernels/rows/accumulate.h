// The sixteen virtual accumulators, over rows and over columns.
#pragma once

#include "kernels/math/functions.h"
#include "simd/vec.h"

namespace octavo {
namespace {

constexpr int kAccumulators = 16;

// How two partial results are joined: for vectors and (through one lane of a vector) for single values.
struct Add {
  static F32 start() { return splat(0.0f); }
  static F32 join(F32 a, F32 b) { return a + b; }
};
struct Multiply {
  static F32 start() { return splat(1.0f); }
  static F32 join(F32 a, F32 b) { return a * b; }
};
struct Largest {
  static F32 start() { return negate(infinity()); }
  static F32 join(F32 a, F32 b) { return keep_nan(a, max(a, b)); }
};
struct Smallest {
  static F32 start() { return infinity(); }
  static F32 join(F32 a, F32 b) { return keep_nan(a, min(a, b)); }
};

inline float first_lane(F32 a) {
  float lanes[kLanes];
  store(lanes, a);
  return lanes[0];
}

// Lanes 0 .. n of a vector whose other lanes are anything, joined pairwise: 0 with n / 2, ...
template <class J, int n>
inline float join_lanes(F32 a) {
  if constexpr (n == 1) return first_lane(a);
  else return join_lanes<J, n / 2>(J::join(a, shift_down<n / 2>(a)));
}

// The first n lanes of a (n < kLanes), the others of b.
inline F32 first_lanes(int64_t n, F32 a, F32 b) {
  static constexpr int32_t kIndex[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return select(load_i32(kIndex) < splat(static_cast<int32_t>(n)), a, b);
}

// R rows at once, so that their chains of sums overlap. value(r, i): the vector of elements [i, i + kLanes) of row r.
template <class J, int R, class F>
inline void accumulate_rows(int64_t n, float (&results)[R], F value) {
  constexpr int kVectors = kAccumulators / kLanes;
  F32 a[R][kVectors];
  for (auto& row : a)
    for (F32& v : row) v = J::start();
  int64_t i = 0;
  for (; i + kAccumulators <= n; i += kAccumulators)
    for (int v = 0; v < kVectors; ++v)
      for (int r = 0; r < R; ++r) a[r][v] = J::join(a[r][v], value(r, i + v * kLanes));
  for (int v = 0; v < kVectors && i < n; ++v, i += kLanes)
    for (int r = 0; r < R; ++r) {
      const F32 joined = J::join(a[r][v], value(r, i));
      a[r][v] = n - i < kLanes ? first_lanes(n - i, joined, a[r][v]) : joined;
    }
  for (int step = kVectors / 2; step > 0; step /= 2)
    for (int v = 0; v < step; ++v)
      for (int r = 0; r < R; ++r) a[r][v] = J::join(a[r][v], a[r][v + step]);
  for (int r = 0; r < R; ++r) results[r] = join_lanes<J, kLanes>(a[r][0]);
}

template <class J, class F>
inline float accumulate(int64_t n, F value) {
  float result[1];
  accumulate_rows<J>(n, result, [&](int, int64_t i) { return value(i); });
  return result[0];
}

// value(i): the vector of kLanes columns of row i.
template <class J, class F>
inline F32 accumulate_columns(int64_t n, F value) {
  F32 a[kAccumulators];
  for (F32& v : a) v = J::start();
  int64_t i = 0;
  for (; i + kAccumulators <= n; i += kAccumulators)
    for (int k = 0; k < kAccumulators; ++k) a[k] = J::join(a[k], value(i + k));
  for (int k = 0; i < n; ++i, ++k) a[k] = J::join(a[k], value(i));
  for (int step = kAccumulators / 2; step > 0; step /= 2)
    for (int k = 0; k < step; ++k) a[k] = J::join(a[k], a[k + step]);
  return a[0];
}

}  // namespace
}  // namespace octavo
