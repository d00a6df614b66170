#include "kernels/qunpack/neon.h"

namespace octavo {

extern const QUnpackKernels qunpack_armv7_neon;
const QUnpackKernels qunpack_armv7_neon = {Isa::armv7_neon, unpack<4>, unpack<2>, unpack<1>};

}  // namespace octavo
