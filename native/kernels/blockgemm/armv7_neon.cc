#include "kernels/blockgemm/neon_mlal.h"

namespace octavo {

extern const BlockGemmKernel blockgemm_armv7_neon;
const BlockGemmKernel blockgemm_armv7_neon = {Isa::armv7_neon, "blockgemm_armv7_neon", quantize_row,
                                              integer_tiles<NeonMlal>, real_tiles<RealNeon>};

}  // namespace octavo
