#include "kernels/hybrid/generic.h"

namespace octavo {

extern const HybridKernel hybrid_x86_avx512vnni;
const HybridKernel hybrid_x86_avx512vnni = {Isa::x86_avx512vnni, "hybrid_f32s8_32_x86_avx512vnni", panel};

}  // namespace octavo
