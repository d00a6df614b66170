#include "kernels/bitgemm/neon.h"

namespace octavo {

extern const BitKernel bitgemm_arm_neon;
const BitKernel bitgemm_arm_neon = {
    Isa::arm_neon, "bitgemm_4x16_arm_neon", tile_by_bytes<Neon, 4, 4>, pack_rows<Neon>, 4, 16, nullptr};

}  // namespace octavo
