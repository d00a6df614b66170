#include "kernels/blockgemm/generic.h"

namespace octavo {

extern const BlockGemmKernel blockgemm_arm_neon;
const BlockGemmKernel blockgemm_arm_neon = {Isa::arm_neon, "blockgemm_arm_neon", quantize_row, integer_panels,
                                            real_panels};

}  // namespace octavo
