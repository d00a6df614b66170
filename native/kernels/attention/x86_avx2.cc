#include "kernels/attention/generic.h"

namespace octavo {

extern const AttentionKernel attention_x86_avx2;
const AttentionKernel attention_x86_avx2 = attention_kernel_of(Isa::x86_avx2, "attention_x86_avx2");

}  // namespace octavo
