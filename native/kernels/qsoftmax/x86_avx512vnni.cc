#include "kernels/qsoftmax/generic.h"

namespace octavo {

extern const QSoftmaxKernel qsoftmax_x86_avx512vnni;
const QSoftmaxKernel qsoftmax_x86_avx512vnni = {Isa::x86_avx512vnni, rows};

}  // namespace octavo
