#include "kernels/math/generic.h"

namespace octavo {

extern const MathKernels math_armv7_neon;
const MathKernels math_armv7_neon = {Isa::armv7_neon, apply};

}  // namespace octavo
