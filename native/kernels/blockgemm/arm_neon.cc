#include "kernels/blockgemm/neon_mlal.h"

namespace octavo {

extern const BlockGemmKernel blockgemm_arm_neon;
const BlockGemmKernel blockgemm_arm_neon = {Isa::arm_neon, "blockgemm_arm_neon", quantize_row, integer_tiles<NeonMlal>,
                                            real_tiles<RealNeon>};

}  // namespace octavo
