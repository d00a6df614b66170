#include "kernels/finish/generic.h"

namespace octavo {

extern const FinishKernels finish_arm_neon;
const FinishKernels finish_arm_neon = {Isa::arm_neon, bytes, floats, words, halves};

}  // namespace octavo
