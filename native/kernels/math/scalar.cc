// The specification: what every other file of this folder has to equal bit for bit.
#define OCTAVO_SIMD_SCALAR
#include "kernels/math/generic.h"

namespace octavo {

extern const MathKernels math_scalar;
const MathKernels math_scalar = {Isa::scalar, apply};

}  // namespace octavo
