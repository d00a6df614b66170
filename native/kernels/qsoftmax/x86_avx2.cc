#include "kernels/qsoftmax/generic.h"

namespace octavo {

extern const QSoftmaxKernel qsoftmax_x86_avx2;
const QSoftmaxKernel qsoftmax_x86_avx2 = {Isa::x86_avx2, rows};

}  // namespace octavo
