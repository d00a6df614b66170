#include "kernels/q8/generic.h"

namespace octavo {

extern const Q8Kernels q8_x86_avx512vnni;
const Q8Kernels q8_x86_avx512vnni = {Isa::x86_avx512vnni, lookup,         add,    mul,      quantize, dequantize,
                                     requantize,          scale_to_bytes, max_of, add_rows, sum,      interleave3};

}  // namespace octavo
