// The loop of a binary function over broadcast rows, in three forms that compilers turn into vectors.
#pragma once

#include "ops/support/broadcast.h"

namespace octavo::ops {

template <class T, class R, class F>
void binary_loop(ThreadPool& pool, const Broadcast<2>& broadcast, const T* a, const T* b, R* y, F f) {
  const bool a_same = broadcast.step(0) == 0, b_same = broadcast.step(1) == 0;
  broadcast.for_each_row(pool, [&](const int64_t* offsets, int64_t at, int64_t n) {
    const T* left = a + offsets[0];
    const T* right = b + offsets[1];
    R* out = y + at;
    if (a_same) {
      const T value = *left;
      for (int64_t i = 0; i < n; ++i) out[i] = f(value, right[i]);
    } else if (b_same) {
      const T value = *right;
      for (int64_t i = 0; i < n; ++i) out[i] = f(left[i], value);
    } else {
      for (int64_t i = 0; i < n; ++i) out[i] = f(left[i], right[i]);
    }
  });
}

}  // namespace octavo::ops
