#include "kernels/qpack/neon.h"
#include "kernels/qpack/neon_pairs.h"

namespace octavo {

extern const QPackKernel qpack_c2_arm_neon, qpack_c4_arm_neon, qpack_c8_arm_neon;
const QPackKernel qpack_c2_arm_neon = {Isa::arm_neon, 2, 8, rows2, columns2};
const QPackKernel qpack_c4_arm_neon = {Isa::arm_neon, 4, 8, rows4, columns_of<4>};
const QPackKernel qpack_c8_arm_neon = {Isa::arm_neon, 8, 4, rows8, columns_of<8>};

}  // namespace octavo
