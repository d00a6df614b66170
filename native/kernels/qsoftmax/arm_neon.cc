#include "kernels/qsoftmax/generic.h"

namespace octavo {

extern const QSoftmaxKernel qsoftmax_arm_neon;
const QSoftmaxKernel qsoftmax_arm_neon = {"arm_neon", rows};

}  // namespace octavo
