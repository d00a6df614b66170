// The specification: what every other file of this folder has to equal bit for bit.
#define OCTAVO_SIMD_SCALAR
#include "kernels/blockgemm/generic.h"

namespace octavo {

extern const BlockGemmKernel blockgemm_scalar;
const BlockGemmKernel blockgemm_scalar = {Isa::scalar, "blockgemm_scalar", quantize_row, integer_panels, real_panels};

}  // namespace octavo
