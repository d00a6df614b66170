// The specification: what every other file of this folder has to equal bit for bit.
#define OCTAVO_SIMD_SCALAR
#include "kernels/rows/generic.h"

namespace octavo {

extern const RowKernels row_scalar;
const RowKernels row_scalar = {Isa::scalar, reduce,    reduce_columns,     softmax, softmax_columns,
                               layer_norm,  normalize, squared_deviations, range};

}  // namespace octavo
