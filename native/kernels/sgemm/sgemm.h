// Float matrix product by tiles, with indirection: one kernel serves GEMM (one tap, row pointers) and convolution (a
// row of pointers per tap, padding pointing at zeros). And the depthwise convolution of a strip of pixels. FMA where
// the instruction set has it: results agree within rounding between instruction sets, and are the same bits for any
// tiling and any number of threads on one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa_id.h"

namespace octavo {

constexpr size_t kSgemmMaxRows = 16;
constexpr size_t kSgemmMaxColumns = 32;

// c[i][column + j] = clamp(bias[j] + sum over taps t and k < depth of a[t * rows + i][k] * b[(t * depth + k) * b_stride
// + j] + residual[i][column + j]).
struct SgemmTile {
  size_t rows;     // 1..mr
  size_t columns;  // 1..nr written; b is read nr wide
  size_t taps;     // 0: the bias alone
  size_t depth;
  const float* const* a;  // [taps][rows]
  const float* b;         // packed: b_stride is nr
  size_t b_stride;
  const float* bias;             // [columns]; nullptr: 0
  const float* const* residual;  // [rows]; nullptr: none
  float lo, hi;                  // NaN passes
  float* const* c;               // [rows]
  size_t column = 0;
};

// Pixel p < pixels, channel j < channels: y[p * y_step + j] = clamp(bias[j] + sum over t of x[t][p * x_step + j] *
// w[t][j] + residual[p * y_step + j]). Whole vectors of x, w, bias and residual are read, also past the last channel.
struct DepthwiseStrip {
  size_t channels;
  size_t pixels;
  size_t taps;
  const float* const* x;  // [taps], of the first pixel
  const float* const* w;  // [taps]
  size_t x_step;
  const float* bias;      // nullptr: 0
  const float* residual;  // nullptr: none
  float lo, hi;
  float* y;
  size_t y_step;
};

struct SgemmKernel {
  Isa isa;
  const char* name;
  void (*tile)(const SgemmTile& tile);
  void (*depthwise)(const DepthwiseStrip& strip);
  size_t mr, nr;
};

const SgemmKernel* sgemm_kernels(size_t* count);  // all that are compiled in, best first
const SgemmKernel& sgemm_kernel();                // the best for this machine

// Floats of a packed b of k rows and n columns.
size_t sgemm_packed_size(const SgemmKernel& kernel, size_t k, size_t n);
// Packs alpha * b into [ceil(n / nr)][k][nr], zeros in the last columns. b[i][j] is at b[i * row + j * column]. Blocks
// [first, last) of nr columns only, so that threads can share the work.
void sgemm_pack(const SgemmKernel& kernel, const float* b, size_t k, size_t n, ptrdiff_t row, ptrdiff_t column,
                float alpha, size_t first, size_t last, float* packed);

}  // namespace octavo
