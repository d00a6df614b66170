#include "kernels/bitgemm/neon.h"

namespace octavo {

extern const BitKernel bitgemm_armv7_neon;
const BitKernel bitgemm_armv7_neon = {
    Isa::armv7_neon, "bitgemm_4x8_armv7_neon", tile_by_bytes<Neon, 4, 2>, pack_rows<Neon>, 4, 8, nullptr};

}  // namespace octavo
