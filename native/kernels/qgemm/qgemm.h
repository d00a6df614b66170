// Quantized GEMM over an indirection: one kernel serves matrix products (one tap) and convolutions (one tap per
// kernel position, each with its own row pointers; rows outside of the image point at a row of zero points).
//
//   acc[r][n] = bias[n] + row_bias[r] + sum over taps t, bytes k of  rows[t * mr + r][k] * w(t, k, n)      int32,
//   wrapping
//
// A is uint8 or int8 (the kernel says which), weights are int8. The zero point of A is folded into the bias.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa_id.h"
#include "kernels/requantize/requantize.h"

namespace octavo {

enum class QGemmStore : uint8_t { kInt32, kBytes };

// One call: at most mr rows by nr columns.
struct QGemmTile {
  const uint8_t* const* rows;  // [taps][mr]; all mr are readable, those beyond m repeat a valid row
  size_t taps;
  size_t k;                 // bytes per tap; up to kQGemmOverRead bytes beyond them are read and multiplied by zero
  const int8_t* panel;      // [taps][ceil(k / kr)][nr][kr], zeros beyond k and n; see pack.h
  const int32_t* bias;      // [nr]
  const float* multiplier;  // [nr]; kBytes only
  Requantize requantize;    // kBytes only
  QGemmStore store;
  void* c;          // row r starts at c + r * c_stride; nothing is written outside of m by n elements
  size_t c_stride;  // bytes
  size_t m;         // 1..mr
  size_t n;         // 1..nr; of kernels with kPanels 1 or more: panels lie one after the other
  // Added after requantization, laid out as c with its stride; null: nothing. kBytes of kernels with kAdds only.
  const uint8_t* residual = nullptr;
  ResidualAdd add;
  const int32_t* row_bias = nullptr;  // [mr][kQGemmRowBias]: added to all sums of a row, there so many times; null:
                                      // nothing. Of kernels with kRowBias
  uint8_t* zipped = nullptr;          // of kernels with kZips: room for mr * taps * (k rounded up to 16) bytes
};

constexpr size_t kQGemmRowBias = 4;
constexpr size_t kQGemmOverRead = 32;
constexpr size_t kQGemmMaxRows = 16;
constexpr size_t kQGemmMaxColumns = 64;

// What a kernel can do beside the product.
enum QGemmFeatures : unsigned {
  kAdds = 1,     // adds a residual
  kPanels = 2,   // takes any number of panels in one call
  kZips = 4,     // copies its rows, two by two in one register: tiles have an even number of rows where they can
  kRowBias = 8,  // adds a number to the sums of a row: what a zero point of the weights takes away
  kBounds = 16,  // is faster where Requantize knows bounds of the sums
};

using QGemmFunction = void (*)(const QGemmTile& tile);

struct QGemmKernel {
  Isa isa;
  const char* name;
  QGemmFunction run;
  int mr;         // rows of a tile
  int nr;         // columns of a panel
  int kr;         // consecutive k of one column that lie together
  bool a_signed;  // int8 activations; else uint8
  bool narrow;    // weights must be in [-127, 127]: two products are summed in 16 bits
  unsigned features;

  bool has(QGemmFeatures feature) const { return (features & feature) != 0; }
};

// Every kernel of this build, best first; the caller asks cpu/isa.h which of them may run.
const QGemmKernel* qgemm_kernels(size_t* count);

// The kernel for n columns on this CPU. `narrow`: no weight is -128.
const QGemmKernel& choose_qgemm(int64_t n, bool narrow);

#define OCTAVO_KERNEL(isa, symbol, mr, nr, kr, a_signed, narrow, features) void symbol(const QGemmTile& tile);
#include "kernels/qgemm/kernels.inc"
#undef OCTAVO_KERNEL

}  // namespace octavo
