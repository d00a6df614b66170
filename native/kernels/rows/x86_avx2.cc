#include "kernels/rows/generic.h"

namespace octavo {

extern const RowKernels row_x86_avx2;
const RowKernels row_x86_avx2 = {Isa::x86_avx2, reduce,    reduce_columns,     softmax, softmax_columns,
                                 layer_norm,    normalize, squared_deviations, range};

}  // namespace octavo
