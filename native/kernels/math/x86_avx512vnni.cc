#include "kernels/math/generic.h"

namespace octavo {

extern const MathKernels math_x86_avx512vnni;
const MathKernels math_x86_avx512vnni = {Isa::x86_avx512vnni, apply};

}  // namespace octavo
