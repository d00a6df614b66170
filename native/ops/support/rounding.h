// Sizes in whole units.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octavo {

// n, or the next multiple of `to` after it. n <= SIZE_MAX - to.
constexpr size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

// How many pieces of b cover a; a >= 0, b > 0.
constexpr int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace octavo
