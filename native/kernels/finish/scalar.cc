// The specification: what every other file of this folder has to equal bit for bit.
#define OCTAVO_SIMD_SCALAR
#include "kernels/finish/generic.h"
#include "kernels/finish/wide.h"

namespace octavo {

extern const FinishKernels finish_scalar;
const FinishKernels finish_scalar = {Isa::scalar, bytes, floats, words, halves, wide_bytes, wide_halves, wide_floats};

}  // namespace octavo
