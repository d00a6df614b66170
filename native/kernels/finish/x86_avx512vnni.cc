#include "kernels/finish/generic.h"
#include "kernels/finish/wide.h"

namespace octavo {

extern const FinishKernels finish_x86_avx512vnni;
const FinishKernels finish_x86_avx512vnni = {Isa::x86_avx512vnni, bytes,       floats,     words, halves,
                                             wide_bytes,          wide_halves, wide_floats};

}  // namespace octavo
