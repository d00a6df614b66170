#include "kernels/finish/generic.h"

namespace octavo {

extern const FinishKernels finish_x86_avx512vnni;
const FinishKernels finish_x86_avx512vnni = {Isa::x86_avx512vnni, bytes, floats, words, halves};

}  // namespace octavo
