// Elementwise functions of float32 arrays: y[i] = f(x[i]), n elements, x and y equal or apart. Up to kReadSlack bytes
// past the end of x may be read; nothing past y is written. p: the parameters of f, see unary_function.
#pragma once

#include <cstdint>

#include "cpu/isa_id.h"

namespace octavo {

// The vector functions; rarer ones are in math/precise.h.
// clang-format off
#define OCTAVO_VECTOR_FUNCTIONS(V) \
  V(Relu, relu(x)) \
  V(Sigmoid, sigmoid(x)) \
  V(Tanh, tanh(x)) \
  V(Exp, exp(x)) \
  V(Log, log(x)) \
  V(Sqrt, sqrt(x)) \
  V(Reciprocal, splat(1.0f) / x) \
  V(Abs, abs(x)) \
  V(Neg, negate(x)) \
  V(Floor, floor(x)) \
  V(Ceil, ceil(x)) \
  V(Round, rint(x)) \
  V(Sign, sign(x)) \
  V(Erf, erf(x)) \
  V(Softplus, softplus(x)) \
  V(Softsign, softsign(x)) \
  V(HardSwish, hard_swish(x)) \
  V(Gelu, gelu(x)) \
  V(GeluTanh, gelu_tanh(x)) \
  V(Mish, mish(x)) \
  V(LeakyRelu, leaky_relu(x, a)) \
  V(Elu, elu(x, a)) \
  V(Celu, celu(x, a)) \
  V(ThresholdedRelu, thresholded_relu(x, a)) \
  V(Swish, swish(x, a)) \
  V(Clip, clip(x, a, b)) \
  V(HardSigmoid, hard_sigmoid(x, a, b)) \
  V(Selu, selu(x, a, b)) \
  V(Shrink, shrink(x, a, b)) \
  V(Affine, x * a + b)
// clang-format on

enum class VectorFunction : uint8_t {
#define OCTAVO_FUNCTION(name, expression) k##name,
  OCTAVO_VECTOR_FUNCTIONS(OCTAVO_FUNCTION)
#undef OCTAVO_FUNCTION
      kCount
};

struct MathKernels {
  Isa isa;
  // p: the two parameters (a, b) of the function; those it does not take are ignored.
  void (*apply)(VectorFunction f, const float* x, float* y, int64_t n, const float p[2]);
};

const MathKernels& math_kernels();  // the best for this machine

}  // namespace octavo
