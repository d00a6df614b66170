// The loop that the instruction sets share.
#pragma once

#include <cstdint>

#include "simd/unroll.h"

#if defined(__x86_64__)
#define OCTAVO_VECTOR "v"
#else
#define OCTAVO_VECTOR "w"
#endif

namespace octavo::bench {
namespace {

// To the compiler, v changes here and is used.
template <class V>
__attribute__((always_inline)) inline void touch(V& v) {
  asm volatile("" : "+" OCTAVO_VECTOR(v));
}

// `sums` chains, enough to hide the latency of the instruction. An operand is touched each time, so that nothing leaves
// the loop.
template <int sums, class Sum, class Operand, class F>
inline void peak_loop(int64_t iterations, Sum zero, Operand operand, F&& step) {
  Sum sum[sums];
  unroll<sums>([&](auto i) __attribute__((always_inline)) { sum[i] = zero; });
  for (int64_t n = 0; n < iterations; ++n) {
    unroll<sums>([&](auto i) __attribute__((always_inline)) {
      touch(operand);
      sum[i] = step(sum[i], operand);
    });
  }
  // Copies: the address of a sum would keep all of them in memory.
  unroll<sums>([&](auto i) __attribute__((always_inline)) {
    Sum last = sum[i];
    touch(last);
  });
}

}  // namespace
}  // namespace octavo::bench
