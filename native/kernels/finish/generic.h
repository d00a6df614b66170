// The kernels of finish.h over the vectors of simd/; every <isa>.cc compiles them for itself.
#pragma once

#include "kernels/finish/finish.h"
#include "simd/vec.h"

namespace octavo {
namespace {

// put(r, i, vector): columns [i, i + kLanes) of row r, corrected.
template <class Put>
inline void for_tile(const FinishTile& t, Put put) {
  for (size_t r = 0; r < t.m; ++r) {
    const int32_t* acc = t.acc + r * t.acc_stride;
    const I32 sum = splat(t.row_sums ? static_cast<int32_t>(t.row_sums[r]) : 0);
    if (t.row_zero) {
      const I32 zero = splat(t.row_zero[r]);
      for (size_t i = 0; i < t.n; i += kLanes) {
        I32 v = load_i32(acc + i) - load_i32(t.net_sum + i) * zero;
        if (t.row_sums) v = v - load_i32(t.w_zero + i) * sum;
        put(r, i, v);
      }
    } else if (t.row_sums)
      for (size_t i = 0; i < t.n; i += kLanes) put(r, i, load_i32(acc + i) - load_i32(t.w_zero + i) * sum);
    else
      for (size_t i = 0; i < t.n; i += kLanes) put(r, i, load_i32(acc + i));
  }
}

template <class T>
inline T* row_of(const FinishTile& t, size_t r) {
  return reinterpret_cast<T*>(static_cast<uint8_t*>(t.out) + r * t.row_bytes);
}

// put(r, i, vector): the same, requantized.
template <class Put>
inline void for_requantized(const FinishTile& t, Put put) {
  const F32 lo = splat(t.requantize.lo), hi = splat(t.requantize.hi);
  const I32 zero_point = splat(t.requantize.zero_point);
  for_tile(t, [&](size_t r, size_t i, I32 acc) {
    const F32 scaled = to_float(acc) * load(t.multiplier + i);
    put(r, i, to_int(rint(min(max(scaled, lo), hi))) + zero_point);
  });
}

void bytes(const FinishTile& t) {
  for_requantized(t, [&](size_t r, size_t i, I32 q) {
    uint8_t* out = row_of<uint8_t>(t, r) + i;
    if (t.n - i >= kLanes) store_bytes(out, q);
    else store_bytes_first(out, q, static_cast<int64_t>(t.n - i));
  });
}

void halves(const FinishTile& t) {
  for_requantized(t, [&](size_t r, size_t i, I32 q) {
    int32_t lanes[kLanes];
    store(lanes, q);
    uint16_t* out = row_of<uint16_t>(t, r) + i;
    for (size_t lane = 0; lane < kLanes && lane < t.n - i; ++lane) out[lane] = static_cast<uint16_t>(lanes[lane]);
  });
}

inline void store_some(float* out, F32 v, size_t n) {
  if (n >= kLanes) store(out, v);
  else store_first(out, v, static_cast<int64_t>(n));
}

// scaled(r, i, sums): columns [i, i + kLanes) of row r.
template <class Scaled>
inline void scaled_floats(const FinishTile& t, Scaled scaled) {
  if (t.bias)
    for_tile(t, [&](size_t r, size_t i, I32 acc) {
      store_some(row_of<float>(t, r) + i, scaled(r, i, to_float(acc)) + load(t.bias + i), t.n - i);
    });
  else
    for_tile(t, [&](size_t r, size_t i, I32 acc) {
      store_some(row_of<float>(t, r) + i, scaled(r, i, to_float(acc)), t.n - i);
    });
}

void floats(const FinishTile& t) {
  if (!t.row_scale) return scaled_floats(t, [&](size_t, size_t i, F32 v) { return v * load(t.multiplier + i); });
  const auto row = [&](size_t r) { return splat(t.row_scale[r]); };
  switch (t.order) {
    case ScaleOrder::kProduct:
      return scaled_floats(t, [&](size_t r, size_t i, F32 v) { return v * (row(r) * load(t.multiplier + i)); });
    case ScaleOrder::kRowFirst:
      return scaled_floats(t, [&](size_t r, size_t i, F32 v) { return v * row(r) * load(t.multiplier + i); });
    case ScaleOrder::kColumnFirst:
      return scaled_floats(t, [&](size_t r, size_t i, F32 v) { return v * load(t.multiplier + i) * row(r); });
  }
}

void words(const FinishTile& t) {
  for_tile(t, [&](size_t r, size_t i, I32 acc) {
    int32_t* out = row_of<int32_t>(t, r) + i;
    if (t.n - i >= kLanes) {
      store(out, acc);
      return;
    }
    int32_t lanes[kLanes];
    store(lanes, acc);
    std::memcpy(out, lanes, (t.n - i) * sizeof(int32_t));
  });
}

}  // namespace
}  // namespace octavo
