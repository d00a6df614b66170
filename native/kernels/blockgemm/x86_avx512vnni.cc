#include "kernels/blockgemm/generic.h"

namespace octavo {

extern const BlockGemmKernel blockgemm_x86_avx512vnni;
const BlockGemmKernel blockgemm_x86_avx512vnni = {Isa::x86_avx512vnni, "blockgemm_x86_avx512vnni", quantize_row,
                                                  integer_panels, real_panels};

}  // namespace octavo
