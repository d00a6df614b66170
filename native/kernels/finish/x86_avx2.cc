#include "kernels/finish/generic.h"

namespace octavo {

extern const FinishKernels finish_x86_avx2;
const FinishKernels finish_x86_avx2 = {Isa::x86_avx2, bytes, floats, words, halves};

}  // namespace octavo
