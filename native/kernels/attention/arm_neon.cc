#include "kernels/attention/generic.h"

namespace octavo {

extern const AttentionKernel attention_arm_neon;
const AttentionKernel attention_arm_neon = attention_kernel_of(Isa::arm_neon, "attention_arm_neon");

}  // namespace octavo
