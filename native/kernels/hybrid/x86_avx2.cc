#include "kernels/hybrid/generic.h"

namespace octavo {

extern const HybridKernel hybrid_x86_avx2;
const HybridKernel hybrid_x86_avx2 = {Isa::x86_avx2, "hybrid_f32s8_32_x86_avx2", panel};

}  // namespace octavo
