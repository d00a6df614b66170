#include "kernels/dispatch.h"
#include "kernels/q8/q8.h"

namespace octavo {

#define OCTAVO_TABLE Q8Kernels
#define OCTAVO_TABLES "kernels/q8/kernels.inc"
#include "kernels/tables.inc"

const Q8Kernels& q8_kernels() {
  static const Q8Kernels& best = best_table(kTables);
  return best;
}

}  // namespace octavo
