#include "kernels/attention/attention.h"
#include "kernels/dispatch.h"

namespace octavo {

#define OCTAVO_TABLE AttentionKernel
#define OCTAVO_TABLES "kernels/attention/kernels.inc"
#include "kernels/tables.inc"

const AttentionKernel& attention_kernel() {
  static const AttentionKernel& best = best_table(kTables);
  return best;
}

}  // namespace octavo
