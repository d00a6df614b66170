#include "kernels/finish/generic.h"

namespace octavo {

extern const FinishKernels finish_x86_avx2;
const FinishKernels finish_x86_avx2 = {"x86_avx2", bytes, floats, words};

}  // namespace octavo
