#include "kernels/bitgemm/bitgemm.h"
#include "kernels/dispatch.h"

namespace octavo {

#define OCTAVO_TABLE BitKernel
#define OCTAVO_TABLES "kernels/bitgemm/kernels.inc"
#include "kernels/tables.inc"

const BitKernel& bit_kernel() {
  for (const BitKernel* kernel : kTables)
    if (isa_active(kernel->isa) && (kernel->runs_here == nullptr || kernel->runs_here())) return *kernel;
  return best_table(kTables);
}

}  // namespace octavo
