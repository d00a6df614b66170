// A loop that is unrolled before any other optimization, so that an array indexed by it lives in registers.
#pragma once

#include <utility>

namespace octavo {
namespace {

template <int... I, class F>
__attribute__((always_inline)) inline void unroll_indices(std::integer_sequence<int, I...>, F&& f) {
  (f(std::integral_constant<int, I>{}), ...);
}

// f(integral_constant<int, i>) for i in [0, N).
template <int N, class F>
__attribute__((always_inline)) inline void unroll(F&& f) {
  unroll_indices(std::make_integer_sequence<int, N>{}, static_cast<F&&>(f));
}

}  // namespace
}  // namespace octavo
