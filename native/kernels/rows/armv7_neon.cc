#include "kernels/rows/generic.h"

namespace octavo {

extern const RowKernels row_armv7_neon;
const RowKernels row_armv7_neon = {Isa::armv7_neon, reduce,    reduce_columns,     softmax, softmax_columns,
                                   layer_norm,      normalize, squared_deviations, range};

}  // namespace octavo
