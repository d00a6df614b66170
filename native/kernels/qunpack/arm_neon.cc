#include "kernels/qunpack/neon.h"

namespace octavo {

extern const QUnpackKernels qunpack_arm_neon;
const QUnpackKernels qunpack_arm_neon = {Isa::arm_neon, unpack<4>, unpack<2>, unpack<1>};

}  // namespace octavo
