// The specification: what every other file of this folder has to equal bit for bit.
#define OCTAVO_SIMD_SCALAR
#include "kernels/finish/generic.h"

namespace octavo {

extern const FinishKernels finish_scalar;
const FinishKernels finish_scalar = {Isa::scalar, bytes, floats, words, halves};

}  // namespace octavo
