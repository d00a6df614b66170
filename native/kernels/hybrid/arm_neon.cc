#include "kernels/hybrid/generic.h"

namespace octavo {

extern const HybridKernel hybrid_arm_neon;
const HybridKernel hybrid_arm_neon = {Isa::arm_neon, "hybrid_f32s8_32_arm_neon", panel};

}  // namespace octavo
