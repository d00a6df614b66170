// The body of math.h over the vectors of simd/; every <isa>.cc compiles it for itself.
#pragma once

#include "kernels/math/functions.h"
#include "kernels/math/math.h"

namespace octavo {
namespace {

template <class F>
inline void map(const float* x, float* y, int64_t n, F f) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, f(load(x + i)));
  if (i < n) store_first(y + i, f(load(x + i)), n - i);
}

void apply(VectorFunction function, const float* px, float* py, int64_t n, const float p[2]) {
  const F32 a = splat(p[0]), b = splat(p[1]);
  switch (function) {
#define OCTAVO_FUNCTION(name, expression) \
  case VectorFunction::k##name:           \
    map(px, py, n, [=](F32 x) {           \
      static_cast<void>(a);               \
      static_cast<void>(b);               \
      return expression;                  \
    });                                   \
    break;
    OCTAVO_VECTOR_FUNCTIONS(OCTAVO_FUNCTION)
#undef OCTAVO_FUNCTION
    case VectorFunction::kCount: break;
  }
}

}  // namespace
}  // namespace octavo
