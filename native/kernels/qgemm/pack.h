// Packed weights: panels of nr columns, laid out as the packing of a kernel says.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/qgemm/qgemm.h"
#include "kernels/qunpack/qunpack.h"

namespace octavo {

// Where weights come from: w(tap, k, n) = data[tap * tap_stride + k * k_stride + n * n_stride] ^ flip.
// flip 0x80 takes uint8 to int8 (zero point minus 128).
struct QGemmSource {
  const uint8_t* data = nullptr;
  size_t tap_stride = 0, k_stride = 1, n_stride = 0;
  uint8_t flip = 0;
};

struct QGemmLayout {
  size_t taps = 0, k = 0, n = 0;
  size_t nr = 0, kr = 0;
  size_t panels = 0;
  size_t panel_bytes = 0;  // as a kernel reads a panel
  const QGemmPacking* packing = nullptr;
  int bits = 8;             // of a weight in memory; of fewer than 8 qunpack makes panels before a kernel reads them
  size_t stored_bytes = 0;  // of a panel in memory

  size_t columns() const { return panels * nr; }  // padded
  size_t bytes() const { return panels * stored_bytes; }
  inline void pack(const QGemmSource& source, size_t first, size_t last, int8_t* packed, int32_t* sums) const;
};

// False when a size overflows.
[[nodiscard]] bool make_qgemm_layout(const QGemmKernel& kernel, size_t taps, size_t k, size_t n, QGemmLayout* layout);

// Keeps the panels in 4 or 2 bits a weight. False, and nothing is changed, where qunpack has no kernel for the layout.
[[nodiscard]] bool store_in_bits(int bits, QGemmLayout* layout);

// What unpacking takes away from the levels of a panel that is stored so: the zeros of its columns, as blocks repeat
// them.
struct RepeatedZeros {
  uint8_t of_block[kQUnpackBlock];

  RepeatedZeros(const QGemmLayout& layout, const uint8_t* zeros_of_panel) {
    // Whole rounds of the columns fill a block.
    for (size_t i = 0, column = 0; i < kQUnpackBlock; column = column + 1 == layout.nr ? 0 : column + 1)
      for (size_t k = 0; k < layout.kr; ++k, ++i) of_block[i] = zeros_of_panel[column];
  }
};

// How the weights of a panel lie. A kernel line names one.
struct QGemmPacking {
  // Bytes of a panel of such taps. False: overflow.
  bool (*panel_bytes)(const QGemmKernel& kernel, size_t taps, size_t k, size_t* bytes);
  // Packs panels [first, last) into `packed` (which holds all panels) and, per column, the sum of its weights
  // (`sums`, columns() of them).
  void (*pack)(const QGemmLayout& layout, const QGemmSource& source, size_t first, size_t last, int8_t* packed,
               int32_t* sums);
  // Taps of whole groups of kr are packed like one tap that is as long as all of them.
  bool joins_taps;
};

// [taps][ceil(k / kr)][nr][kr] bytes, zeros beyond k and beyond the last column.
extern const QGemmPacking qgemm_k_groups;

inline void QGemmLayout::pack(const QGemmSource& source, size_t first, size_t last, int8_t* packed,
                              int32_t* sums) const {
  packing->pack(*this, source, first, last, packed, sums);
}

}  // namespace octavo
