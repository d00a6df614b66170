// The sixteen virtual accumulators, over rows and over columns.
#pragma once

#include "kernels/math/functions.h"
#include "simd/vec.h"

namespace octavo {
namespace {

constexpr int kAccumulators = 16;

// How two partial results are joined: for vectors and (through one lane of a vector) for single values.
struct Add { static F32 start() { return splat(0.0f); } static F32 join(F32 a, F32 b) { return a + b; } };
struct Multiply { static F32 start() { return splat(1.0f); } static F32 join(F32 a, F32 b) { return a * b; } };
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

template <class J>
inline float join_all(float* a) {
  for (int step = kAccumulators / 2; step > 0; step /= 2)
    for (int i = 0; i < step; ++i) a[i] = first_lane(J::join(splat(a[i]), splat(a[i + step])));
  return a[0];
}

// value(i): the vector of elements [i, i + kLanes).
template <class J, class F>
inline float accumulate(int64_t n, F value) {
  constexpr int kVectors = kAccumulators / kLanes;
  F32 vectors[kVectors];
  for (F32& v : vectors) v = J::start();
  int64_t i = 0;
  for (; i + kAccumulators <= n; i += kAccumulators)
    for (int v = 0; v < kVectors; ++v) vectors[v] = J::join(vectors[v], value(i + v * kLanes));
  float a[kAccumulators];
  for (int v = 0; v < kVectors; ++v) store(a + v * kLanes, vectors[v]);
  for (int at = 0; i < n; i += kLanes, at += kLanes) {
    float joined[kLanes];
    store(joined, J::join(load(a + at), value(i)));
    for (int lane = 0; lane < kLanes && i + lane < n; ++lane) a[at + lane] = joined[lane];
  }
  return join_all<J>(a);
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
