#include "kernels/q8/generic.h"

namespace octavo {

extern const Q8Kernels q8_armv7_neon;
const Q8Kernels q8_armv7_neon = {Isa::armv7_neon, lookup,         add,    mul,      quantize, dequantize,
                                 requantize,      scale_to_bytes, max_of, add_rows, sum,      interleave3};

}  // namespace octavo
