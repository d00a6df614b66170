#include "kernels/qsoftmax/generic.h"

namespace octavo {

extern const QSoftmaxKernel qsoftmax_armv7_neon;
const QSoftmaxKernel qsoftmax_armv7_neon = {Isa::armv7_neon, rows};

}  // namespace octavo
