// The specification: what every other file of this folder has to equal bit for bit.
#define OCTAVO_SIMD_SCALAR
#include "kernels/q8/generic.h"

namespace octavo {

extern const Q8Kernels q8_scalar;
const Q8Kernels q8_scalar = {Isa::scalar, lookup,         add,    mul,      quantize, dequantize,
                             requantize,  scale_to_bytes, max_of, add_rows, sum,      interleave3};

}  // namespace octavo
