#include "kernels/finish/generic.h"
#include "kernels/finish/wide.h"

namespace octavo {

extern const FinishKernels finish_arm_neon;
const FinishKernels finish_arm_neon = {Isa::arm_neon, bytes,      floats,      words,
                                       halves,        wide_bytes, wide_halves, wide_floats};

}  // namespace octavo
