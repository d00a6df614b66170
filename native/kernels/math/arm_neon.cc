#include "kernels/math/generic.h"

namespace octavo {

extern const MathKernels math_arm_neon;
const MathKernels math_arm_neon = {Isa::arm_neon, apply};

}  // namespace octavo
