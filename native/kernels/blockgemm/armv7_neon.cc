#include "kernels/blockgemm/generic.h"

namespace octavo {

extern const BlockGemmKernel blockgemm_armv7_neon;
const BlockGemmKernel blockgemm_armv7_neon = {Isa::armv7_neon, "blockgemm_armv7_neon", quantize_row, integer_panels,
                                              real_panels};

}  // namespace octavo
