// Packing of weights that are not constant, k and v of attention: a block of whole column groups and k groups of a
// panel (qgemm/pack.h), by vectors. What is left at the edges is packed byte by byte there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa_id.h"

namespace octavo {

// Goes to out[(k / kr) * group_bytes + column * kr + k % kr]; sums[column] grows by the bytes of its column.
struct QPackBlock {
  const uint8_t* data;  // w(k, column) = data[k * k_stride + column * n_stride] ^ flip, signed
  size_t k_stride, n_stride;
  size_t depth;    // a multiple of kr
  size_t columns;  // a multiple of the kernel's width
  uint8_t flip;
  int8_t* out;
  size_t group_bytes;  // of kr by all columns of the panel
  int32_t* sums;
};

struct QPackKernel {
  Isa isa;
  size_t kr;
  size_t width;                              // columns at a time
  void (*rows)(const QPackBlock& block);     // n_stride is 1: columns side by side
  void (*columns)(const QPackBlock& block);  // k_stride is 1
};

// The kernel for groups of kr on this machine; null: none.
const QPackKernel* qpack_kernel(size_t kr);

}  // namespace octavo
