// A binary function over broadcast rows. What depends on types and the function is the loop over one row, a function of
// its own: the walk over rows and threads is in the addon once, not once for each of them.
#pragma once

#include "ops/support/broadcast.h"

namespace octavo::ops {

// n elements: y[i] = f(a[i], b[i]), or of a[0] or b[0] for all of them.
using BinaryRow = void (*)(const void* a, const void* b, void* y, int64_t n, bool a_same, bool b_same);

// Rows of float, and of bytes, in three forms that compilers turn into vectors. Rows of other types, which are sizes
// and indices of a few elements, in one: with vectors they were two thirds of the code.
template <class T, class R, class F>
void binary_row(const void* a, const void* b, void* y, int64_t n, bool a_same, bool b_same) {
  const T* left = static_cast<const T*>(a);
  const T* right = static_cast<const T*>(b);
  R* out = static_cast<R*>(y);
  const F f;
  if constexpr (std::is_same<T, float>::value || std::is_same<T, uint8_t>::value) {
    if (a_same) {
      const T value = *left;
      for (int64_t i = 0; i < n; ++i) out[i] = f(value, right[i]);
    } else if (b_same) {
      const T value = *right;
      for (int64_t i = 0; i < n; ++i) out[i] = f(left[i], value);
    } else {
      for (int64_t i = 0; i < n; ++i) out[i] = f(left[i], right[i]);
    }
  } else {
    const int64_t left_step = a_same ? 0 : 1, right_step = b_same ? 0 : 1;
    for (int64_t i = 0; i < n; ++i) out[i] = f(left[i * left_step], right[i * right_step]);
  }
}

// a and b have elements of `size` bytes, y of `out_size`.
inline void binary_rows(ThreadPool& pool, const Broadcast<2>& broadcast, BinaryRow row, const uint8_t* a,
                        const uint8_t* b, uint8_t* y, int64_t size, int64_t out_size) {
  const bool a_same = broadcast.step(0) == 0, b_same = broadcast.step(1) == 0;
  broadcast.for_each_row(pool, [&](const int64_t* offsets, int64_t at, int64_t n) {
    row(a + offsets[0] * size, b + offsets[1] * size, y + at * out_size, n, a_same, b_same);
  });
}

}  // namespace octavo::ops
