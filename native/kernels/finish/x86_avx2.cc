#include "kernels/finish/generic.h"
#include "kernels/finish/wide.h"

namespace octavo {

extern const FinishKernels finish_x86_avx2;
const FinishKernels finish_x86_avx2 = {Isa::x86_avx2, bytes,      floats,      words,
                                       halves,        wide_bytes, wide_halves, wide_floats};

}  // namespace octavo
