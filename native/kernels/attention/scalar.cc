// The specification: what every other file of this folder has to equal bit for bit.
#define OCTAVO_SIMD_SCALAR
#include "kernels/attention/generic.h"

namespace octavo {

extern const AttentionKernel attention_scalar;
const AttentionKernel attention_scalar = attention_kernel_of(Isa::scalar, "attention_scalar");

}  // namespace octavo
