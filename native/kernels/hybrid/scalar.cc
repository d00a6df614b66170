// The specification: what every other file of this folder has to equal bit for bit.
#define OCTAVO_SIMD_SCALAR
#include "kernels/hybrid/generic.h"

namespace octavo {

extern const HybridKernel hybrid_scalar;
const HybridKernel hybrid_scalar = {Isa::scalar, "hybrid_f32s8_32_scalar", panel};

}  // namespace octavo
