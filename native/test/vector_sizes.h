// Arrays and sizes that tell vector kernels from the scalar ones: lengths around every vector width, memory with guards
// and poison after the end, floats at the edges of their range.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "test/check.h"
#include "test/op_fixture.h"

namespace octavo::test {

// n elements whose read slack is poison and whose surroundings are watched.
template <class T>
class Array {
 public:
  explicit Array(size_t n) : memory_(n * sizeof(T)) {}
  T* data() { return reinterpret_cast<T*>(memory_.data()); }
  T& operator[](size_t i) { return data()[i]; }
  bool intact() { return memory_.intact(); }

 private:
  Guarded memory_;
};

inline std::vector<size_t> vector_sizes(size_t largest) {
  std::vector<size_t> sizes;
  for (size_t n = 0; n <= 35; ++n) sizes.push_back(n);
  for (size_t n : {47, 48, 49, 63, 64, 65, 127, 128, 129, 255, 257}) sizes.push_back(n);
  sizes.push_back(largest);
  return sizes;
}

inline std::vector<float> awkward_floats() {
  using L = std::numeric_limits<float>;
  std::vector<float> x = {0.0f,        -0.0f,         L::infinity(), -L::infinity(), L::quiet_NaN(), L::max(),
                          -L::max(),   L::min(),      -L::min(),     0.5f,           -0.5f,          1.5f,
                          2.5f,        -2.5f,         0.49999997f,   8388607.5f,     8388608.0f,     16777216.0f,
                          -8388607.5f, 2147483520.0f, 0.625f,        0.62499994f,    0.92773438f,    0.34f,
                          88.72283f,   88.72284f,     -87.33654f,    -87.33655f,     0.70710677f,    0.70710683f};
  return x;
}

// Bit for bit, but a NaN is a NaN: its sign and payload differ between architectures.
inline void expect_same_floats(const float* got, const float* want, size_t n, const std::string& where,
                               const char* file, int line) {
  for (size_t i = 0; i < n; ++i) {
    if (std::memcmp(got + i, want + i, sizeof(float)) == 0 || (std::isnan(got[i]) && std::isnan(want[i]))) continue;
    fail(file, line,
         where + ": element " + std::to_string(i) + " is " + std::to_string(got[i]) + ", expected " +
             std::to_string(want[i]));
    return;
  }
}

}  // namespace octavo::test
