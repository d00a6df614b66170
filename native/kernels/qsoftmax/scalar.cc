// The specification: what every other file of this folder has to equal bit for bit.
#define OCTAVO_SIMD_SCALAR
#include "kernels/qsoftmax/generic.h"

namespace octavo {

extern const QSoftmaxKernel qsoftmax_scalar;
const QSoftmaxKernel qsoftmax_scalar = {Isa::scalar, rows};

}  // namespace octavo
