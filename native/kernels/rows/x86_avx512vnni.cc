#include "kernels/rows/generic.h"

namespace octavo {

extern const RowKernels row_x86_avx512vnni;
const RowKernels row_x86_avx512vnni = {Isa::x86_avx512vnni, reduce,    reduce_columns,     softmax, softmax_columns,
                                       layer_norm,          normalize, squared_deviations, range};

}  // namespace octavo
