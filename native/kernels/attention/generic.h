// The arithmetic of attention.h over the vectors of simd/; scalar.cc compiles it as the specification.
#pragma once

#include "kernels/attention/attention.h"
#include "kernels/rows/accumulate.h"
#include "simd/fused.h"

namespace octavo {
namespace {

inline F32 load_row(const float* p) { return load(p); }
inline F32 load_row(const int8_t* p) { return to_float(load_i8(reinterpret_cast<const uint8_t*>(p))); }

// Rows of vectors whose sums fit the registers there are.
constexpr int kPartials = kAccumulators / kLanes;
constexpr int kDotKeys = kPartials == 1 ? 4 : 1;
constexpr int kColumnVectors = kLanes == 8 ? 2 : 4;

// Lane 0 is the sum of the 16 accumulators.
inline F32 join_accumulators(F32 (&a)[kPartials]) {
  for (int step = kPartials / 2; step > 0; step /= 2)
    for (int v = 0; v < step; ++v) a[v] = a[v] + a[v + step];
  F32 sum = a[0];
  if constexpr (kLanes > 8) sum = sum + shift_down<8>(sum);
  if constexpr (kLanes > 4) sum = sum + shift_down<4>(sum);
  if constexpr (kLanes > 2) sum = sum + shift_down<2>(sum);
  if constexpr (kLanes > 1) sum = sum + shift_down<1>(sum);
  return sum;
}

template <class T, int R, int K>
inline void dots_of(const AttentionQueries& p, const T* k, int64_t stride, int64_t at) {
  F32 a[R][K][kPartials];
  for (auto& row : a)
    for (auto& key : row)
      for (F32& v : key) v = splat(0.0f);
  int64_t i = 0;
  for (; i + kAccumulators <= p.size; i += kAccumulators)
    for (int v = 0; v < kPartials; ++v) {
      F32 x[K];
      for (int j = 0; j < K; ++j) x[j] = load_row(k + j * stride + i + v * kLanes);
      for (int r = 0; r < R; ++r) {
        const F32 q = load(p.q[r] + i + v * kLanes);
        for (int j = 0; j < K; ++j) a[r][j][v] = fused(q, x[j], a[r][j][v]);
      }
    }
  for (int v = 0; v < kPartials && i < p.size; ++v, i += kLanes)
    for (int r = 0; r < R; ++r)
      for (int j = 0; j < K; ++j) {
        const F32 sum = fused(load(p.q[r] + i), load_row(k + j * stride + i), a[r][j][v]);
        a[r][j][v] = p.size - i < kLanes ? first_lanes(p.size - i, sum, a[r][j][v]) : sum;
      }
  // Of each vector only lane 0 counts: the next key overwrites the others.
  for (int r = 0; r < R; ++r)
    for (int j = 0; j < K; ++j) store(p.scores[r] + at + j, join_accumulators(a[r][j]));
}

template <class T, int R>
inline void dots_of_rows(const AttentionQueries& p, const AttentionKeys& keys) {
  const T* k = static_cast<const T*>(keys.rows);
  int64_t j = 0;
  for (; j + kDotKeys <= keys.count; j += kDotKeys) dots_of<T, R, kDotKeys>(p, k + j * keys.stride, keys.stride, j);
  for (; j < keys.count; ++j) dots_of<T, R, 1>(p, k + j * keys.stride, keys.stride, j);
}

template <class T>
void dots(const AttentionQueries& p, const AttentionKeys& keys) {
  switch (p.rows) {
    case 1: return dots_of_rows<T, 1>(p, keys);
    case 2: return dots_of_rows<T, 2>(p, keys);
    case 3: return dots_of_rows<T, 3>(p, keys);
    default: return dots_of_rows<T, 4>(p, keys);
  }
}

template <class T>
void pack(const AttentionKeys& keys, int64_t size, float* packed) {
  const T* k = static_cast<const T*>(keys.rows);
  for (int64_t i = 0; i < size; ++i) {
    float* row = packed + i * kAttentionKeys;
    for (int64_t j = 0; j < keys.count; ++j) row[j] = static_cast<float>(k[j * keys.stride + i]);
    for (int64_t j = keys.count; j < kAttentionKeys; ++j) row[j] = 0;
  }
}

template <int R>
inline void tile_of_rows(const AttentionQueries& p, const float* packed) {
  for (int64_t j = 0; j < kAttentionKeys; j += kColumnVectors * kLanes) {
    F32 s[R][kColumnVectors];
    for (auto& row : s)
      for (F32& v : row) v = splat(0.0f);
    for (int64_t i = 0; i < p.size; ++i) {
      F32 k[kColumnVectors];
      for (int v = 0; v < kColumnVectors; ++v) k[v] = load(packed + i * kAttentionKeys + j + v * kLanes);
      for (int r = 0; r < R; ++r) {
        const F32 q = splat(p.q[r][i]);
        for (int v = 0; v < kColumnVectors; ++v) s[r][v] = fused(q, k[v], s[r][v]);
      }
    }
    for (int r = 0; r < R; ++r)
      for (int v = 0; v < kColumnVectors; ++v) store(p.scores[r] + j + v * kLanes, s[r][v]);
  }
}

void tile(const AttentionQueries& p, const float* packed) {
  switch (p.rows) {
    case 1: return tile_of_rows<1>(p, packed);
    case 2: return tile_of_rows<2>(p, packed);
    case 3: return tile_of_rows<3>(p, packed);
    default: return tile_of_rows<4>(p, packed);
  }
}

float softmax(const AttentionSoftmax& p, float* scores, int64_t n) {
  const F32 scale = splat(p.scale), cap = splat(p.cap);
  // Past n a vector writes numbers that nobody reads.
  float top = accumulate<Largest>(n, [&](int64_t i) {
    F32 s = load(scores + i) * scale;
    if (p.key_scales != nullptr) s = s * load(p.key_scales + i);
    if (p.cap != 0) s = cap * tanh(s / cap);
    if (p.bias != nullptr) s = s + load(p.bias + i);
    store(scores + i, s);
    return s;
  });
  if (p.sink != nullptr && *p.sink > top) top = *p.sink;
  if (top == -__builtin_inff()) {
    for (int64_t i = 0; i < n; ++i) scores[i] = 0;
    return 0;
  }
  const F32 shift = splat(top);
  const float sum = accumulate<Add>(n, [&](int64_t i) {
    const F32 e = exp(load(scores + i) - shift);
    store(scores + i, p.value_scales != nullptr ? e * load(p.value_scales + i) : e);
    return e;
  });
  return p.sink == nullptr ? sum : sum + first_lane(exp(splat(*p.sink) - shift));
}

template <class T, int R, int V>
inline void mix_columns(const AttentionMix& p, const AttentionKeys& values, int64_t at, int64_t columns) {
  const T* from = static_cast<const T*>(values.rows) + at;
  F32 y[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) y[r][v] = p.first ? splat(0.0f) : load(p.y[r] + at + v * kLanes);
  for (int64_t j = 0; j < values.count; ++j) {
    F32 x[V];
    for (int v = 0; v < V; ++v) x[v] = load_row(from + j * values.stride + v * kLanes);
    for (int r = 0; r < R; ++r) {
      const F32 w = splat(p.weights[r][j]);
      for (int v = 0; v < V; ++v) y[r][v] = fused(w, x[v], y[r][v]);
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) {
      if (columns >= (v + 1) * kLanes) store(p.y[r] + at + v * kLanes, y[r][v]);
      else store_first(p.y[r] + at + v * kLanes, y[r][v], columns - v * kLanes);
    }
}

template <class T, int R>
inline void mix_rows(const AttentionMix& p, const AttentionKeys& values) {
  int64_t at = 0;
  for (; at + kColumnVectors * kLanes <= p.size; at += kColumnVectors * kLanes)
    mix_columns<T, R, kColumnVectors>(p, values, at, kColumnVectors * kLanes);
  for (; at < p.size; at += kLanes) mix_columns<T, R, 1>(p, values, at, p.size - at);
}

template <class T>
void mix(const AttentionMix& p, const AttentionKeys& values) {
  switch (p.rows) {
    case 1: return mix_rows<T, 1>(p, values);
    case 2: return mix_rows<T, 2>(p, values);
    case 3: return mix_rows<T, 3>(p, values);
    default: return mix_rows<T, 4>(p, values);
  }
}

void divide(float* y, int64_t n, float sum) {
  const F32 divisor = splat(sum);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, load(y + i) / divisor);
  if (i < n) store_first(y + i, load(y + i) / divisor, n - i);
}

constexpr AttentionKernel attention_kernel_of(Isa isa, const char* name) {
  return {isa,     name,  {dots<float>, pack<float>, mix<float>}, {dots<int8_t>, pack<int8_t>, mix<int8_t>}, tile,
          softmax, divide};
}

}  // namespace
}  // namespace octavo
