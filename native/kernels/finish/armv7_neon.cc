#include "kernels/finish/generic.h"
#include "kernels/finish/wide.h"

namespace octavo {

extern const FinishKernels finish_armv7_neon;
const FinishKernels finish_armv7_neon = {Isa::armv7_neon, bytes,      floats,      words,
                                         halves,          wide_bytes, wide_halves, wide_floats};

}  // namespace octavo
