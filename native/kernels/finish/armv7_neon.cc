#include "kernels/finish/generic.h"

namespace octavo {

extern const FinishKernels finish_armv7_neon;
const FinishKernels finish_armv7_neon = {Isa::armv7_neon, bytes, floats, words, halves};

}  // namespace octavo
