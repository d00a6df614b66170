// The layout of packed weights, a type of the kernel's tile: panels of nr columns, each
// [taps][ceil(k / kr)][nr][kr] bytes, zeros beyond k and beyond the last column.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/qgemm/qgemm.h"

namespace octavo {

struct QGemmLayout {
  size_t taps = 0, k = 0, n = 0;
  size_t nr = 0, kr = 0;
  size_t panels = 0;
  size_t panel_bytes = 0;

  size_t columns() const { return panels * nr; }  // padded
  size_t bytes() const { return panels * panel_bytes; }
};

// False when a size overflows.
[[nodiscard]] bool make_qgemm_layout(const QGemmKernel& kernel, size_t taps, size_t k, size_t n, QGemmLayout* layout);

// Where weights come from: w(tap, k, n) = data[tap * tap_stride + k * k_stride + n * n_stride] ^ flip.
// flip 0x80 takes uint8 to int8 (zero point minus 128).
struct QGemmSource {
  const uint8_t* data = nullptr;
  size_t tap_stride = 0, k_stride = 1, n_stride = 0;
  uint8_t flip = 0;
};

// Packs panels [first, last) into `packed` (which holds all panels) and, per column, the sum of its weights
// (`sums`, columns() of them).
void qgemm_pack(const QGemmLayout& layout, const QGemmSource& source, size_t first, size_t last, int8_t* packed,
                int32_t* sums);

}  // namespace octavo
