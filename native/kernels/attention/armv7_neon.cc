#include "kernels/attention/generic.h"

namespace octavo {

extern const AttentionKernel attention_armv7_neon;
const AttentionKernel attention_armv7_neon = attention_kernel_of(Isa::armv7_neon, "attention_armv7_neon");

}  // namespace octavo
