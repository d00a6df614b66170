#include "kernels/blockgemm/generic.h"

namespace octavo {

extern const BlockGemmKernel blockgemm_x86_avx2;
const BlockGemmKernel blockgemm_x86_avx2 = {Isa::x86_avx2, "blockgemm_x86_avx2", quantize_row, integer_panels,
                                            real_panels};

}  // namespace octavo
