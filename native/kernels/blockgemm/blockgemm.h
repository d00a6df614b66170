// Rows of floats times weights of 8, 4 or 2 bits that have a scale for each block of k (layout.h).
//
// Integer: a row is quantized part by part (layout.part: the block; of a block longer than 256, 128 k of it).
//   scale = absmax / 127; q = max(min(rint(x * (1 / scale)), 127), -127); where absmax < 2^-100: scale and q are 0
//   y = 0; for every part in order of k:
//     s = sum of q * (level - zero), exact, as a float; or, with a float zero point z,
//     s = fma(-z, float(sum of q), float(sum of q * level))
//     y = fma(s * weight scale, scale, y)
// Real: for every block in order of k:
//   t = 0; for every k of the block, in order: t = fma(x, level - zero, t); or of a table: t = fma(x, table[level], t)
//   y = fma(t, weight scale, y)
// Then, where there is a bias, y + bias. All in float32; every operation is rounded once, fma too. Every kernel gives
// these bits.
#pragma once

#include "cpu/isa_id.h"
#include "kernels/blockgemm/layout.h"

namespace octavo {

// Rows that are quantized: q is [rows][layout.depth], padding is 0; scales and sums (of q) are [layout.parts][stride],
// a row in each column, so that those of a tile lie together.
struct QuantizedRows {
  const int8_t* q = nullptr;
  const float* scales = nullptr;
  const int32_t* sums = nullptr;
  size_t stride = 0;
};

struct BlockGemm {
  const BlockLayout* layout;
  const uint8_t* packed;  // of the first panel
  size_t panels;
  size_t columns;  // that are written: more than 16 * (panels - 1), at most 16 * panels
  size_t rows;
  QuantizedRows quantized;  // Integer
  const float* x;           // Real: [rows][x_stride], x_depth of which are read
  size_t x_stride, x_depth;
  const float* table;  // Real: of each level; nullptr: the level itself
  const float* bias;   // of the first column; readable for whole panels; nullptr: none
  float* c;
  size_t c_stride;
};

struct BlockGemmKernel {
  Isa isa;
  const char* name;
  // Quantizes a row of k numbers (at most layout.k) to layout.depth; its scales and sums are `stride` apart.
  void (*quantize)(const BlockLayout& layout, const float* x, size_t k, int8_t* q, float* scales, int32_t* sums,
                   size_t stride);
  void (*integer)(const BlockGemm& gemm);
  void (*real)(const BlockGemm& gemm);
};

const BlockGemmKernel& blockgemm_kernel();  // the best for this machine

}  // namespace octavo
