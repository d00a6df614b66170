#include "kernels/attention/generic.h"

namespace octavo {

extern const AttentionKernel attention_x86_avx512vnni;
const AttentionKernel attention_x86_avx512vnni = attention_kernel_of(Isa::x86_avx512vnni, "attention_x86_avx512vnni");

}  // namespace octavo
