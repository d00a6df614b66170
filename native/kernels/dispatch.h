// The choice of a kernel: the first of a list, best first, that may run on this CPU. Every family makes its list of its
// kernels.inc, and asks here.
#pragma once

#include <cstddef>

#include "cpu/isa.h"

namespace octavo {

// The first kernel of a list that is active and that `takes` accepts; null: none is.
template <class Kernel, size_t kCount, class Takes>
const Kernel* best_kernel(const Kernel (&list)[kCount], Takes takes) {
  for (const Kernel& kernel : list)
    if (isa_active(kernel.isa) && takes(kernel)) return &kernel;
  return nullptr;
}

// Of a list of tables, one per instruction set (tables.inc makes it of kernels.inc), which ends with the scalar one
// that every CPU runs. Such a list names objects of other files, whose instruction sets are known when the program
// runs.
template <class Table, size_t kCount>
const Table& best_table(const Table* const (&list)[kCount]) {
  for (const Table* table : list)
    if (isa_active(table->isa)) return *table;
  return *list[kCount - 1];
}

}  // namespace octavo
