// Quantized GEMM over an indirection: one kernel serves matrix products (one tap) and convolutions (one tap per
// kernel position, each with its own row pointers; rows outside of the image point at a row of zero points).
//
//   acc[r][n] = bias[n] + row_bias[r] + sum over taps t, bytes k of  rows[t * mr + r][k] * w(t, k, n)      int32,
//   wrapping
//
// A is uint8 or int8, weights are int8 or what a line of kernels.inc says. The zero point of A is folded into the bias.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa_id.h"
#include "kernels/requantize/requantize.h"

namespace octavo {

enum class QGemmStore : uint8_t { kInt32, kBytes };

// What is multiplied: a tile of A, given by its rows, and panels of packed weights.
struct QGemmOperands {
  const uint8_t* const* rows;  // [taps][mr]; all mr are readable, those beyond m repeat a valid row
  size_t taps;
  size_t k;             // bytes per tap; up to kQGemmOverRead bytes beyond them are read and multiplied by zero
  const int8_t* panel;  // of the kernel's own packing; of a function of QGemmKernel::fours as memory holds it
  const uint8_t* zeros = nullptr;  // then: what is taken away from the levels of a block (kernels/qunpack)
  uint8_t* interleaved = nullptr;  // of kernels with kInterleavesRows: room for mr * taps * (k rounded up to 16) bytes
};

// What becomes of the sums.
struct QGemmEpilogue {
  const int32_t* bias;                // [nr]
  const int32_t* row_bias = nullptr;  // [mr][kQGemmRowBias]: added to all sums of a row, there so many times; null:
                                      // nothing. Of kernels with kRowBias
  QGemmStore store;
  const float* multiplier;  // [nr]; kBytes only, like all but the bytes below
  Requantize requantize;
  // Added after requantization, laid out as c with its stride; null: nothing. Of kernels with kAddsResidual.
  const uint8_t* residual = nullptr;
  ResidualAdd add;
  void* c;          // row r starts at c + r * c_stride; nothing is written outside of m by n elements
  size_t c_stride;  // bytes
};

// One call: at most mr rows by nr columns.
struct QGemmTile {
  size_t m;  // 1..mr
  size_t n;  // 1..nr; of kernels with kPanels 1 or more: panels lie one after the other
  QGemmOperands operands;
  QGemmEpilogue epilogue;
};

constexpr size_t kQGemmRowBias = 4;
constexpr size_t kQGemmOverRead = 32;
constexpr size_t kQGemmMaxRows = 16;
constexpr size_t kQGemmMaxColumns = 64;

// What a kernel can do beside the product.
enum QGemmFeatures : unsigned {
  kAddsResidual = 1,     // adds a residual
  kPanels = 2,           // takes any number of panels in one call
  kInterleavesRows = 4,  // puts two rows in one register: tiles have an even number of rows where they can
  kRowBias = 8,          // adds a number to the sums of a row: what a zero point of the weights takes away
  kBounds = 16,          // is faster where Requantize knows bounds of the sums
};

using QGemmFunction = void (*)(const QGemmTile& tile);

// Types of operands, as they reach a kernel.
enum class QGemmType : uint8_t { s8, u8 };

struct QGemmPacking;  // pack.h

struct QGemmKernel {
  Isa isa;
  const char* name;
  QGemmFunction run;
  QGemmType a, w;               // of activations and of packed weights
  const QGemmPacking* packing;  // of the weights
  int mr;                       // rows of a tile
  int nr;                       // columns of a panel
  int kr;                       // consecutive k of one column that lie together
  bool narrow;                  // weights must be in [-127, 127]: two products are summed in 16 bits
  unsigned features;
  QGemmFunction fours = nullptr;  // the same product of panels in 4 bits; null: they are unpacked before

  bool a_signed() const { return a == QGemmType::s8; }
  bool has(QGemmFeatures feature) const { return (features & feature) != 0; }
};

// Every kernel of this build, best first; the caller asks cpu/isa.h which of them may run.
const QGemmKernel* qgemm_kernels(size_t* count);

// The kernel for n columns on this CPU. `narrow`: no weight is -128.
const QGemmKernel& choose_qgemm(int64_t n, bool narrow, QGemmType weights = QGemmType::s8);
// The one that is chosen for any number of columns; null: that depends.
const QGemmKernel* sole_qgemm(bool narrow, QGemmType weights = QGemmType::s8);

#define OCTAVO_KERNEL(isa, symbol, a, w, packing, mr, nr, kr, narrow, features) void symbol(const QGemmTile& tile);
#include "kernels/qgemm/kernels.inc"
#undef OCTAVO_KERNEL
#define OCTAVO_FOURS(kernel, symbol) void symbol(const QGemmTile& tile);
#include "kernels/qgemm/fours.inc"
#undef OCTAVO_FOURS

}  // namespace octavo
