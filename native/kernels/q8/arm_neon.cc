#include "kernels/q8/generic.h"
#include "kernels/q8/neon_border.h"

namespace octavo {

extern const Q8Kernels q8_arm_neon;
const Q8Kernels q8_arm_neon = {
    Isa::arm_neon,  lookup, add,      mul, quantize_by_sixteens, dequantize_by_sixteens, requantize,
    scale_to_bytes, max_of, add_rows, sum, interleave3};

}  // namespace octavo
