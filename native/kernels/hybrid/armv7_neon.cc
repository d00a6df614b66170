#include "kernels/hybrid/generic.h"

namespace octavo {

extern const HybridKernel hybrid_armv7_neon;
const HybridKernel hybrid_armv7_neon = {Isa::armv7_neon, "hybrid_f32s8_32_armv7_neon", panel};

}  // namespace octavo
