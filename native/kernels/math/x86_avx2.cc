#include "kernels/math/generic.h"

namespace octavo {

extern const MathKernels math_x86_avx2;
const MathKernels math_x86_avx2 = {Isa::x86_avx2, apply};

}  // namespace octavo
