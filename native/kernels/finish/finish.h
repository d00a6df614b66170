// From a tile of int32 accumulators to what a product writes, where the GEMM kernel cannot do it in registers: float32
// and 16-bit outputs, weight zero points that remain, which take away w_zero[n] times the sum of row r, and rows with
// scales and zero points of their own, which take away row_zero[r] times the net sum of column n. The arithmetic is
// that of docs/steps.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa_id.h"
#include "kernels/requantize/requantize.h"

namespace octavo {

// The sum meets the scale of its row, then that of its column, or the other way round, or the product of both.
enum class ScaleOrder : uint8_t { kProduct, kRowFirst, kColumnFirst };

// Arrays of columns are padded to whole vectors, like the rows of `acc`.
struct FinishTile {
  const int32_t* acc;  // row r starts at acc + r * acc_stride
  size_t acc_stride;
  size_t m, n;
  const uint32_t* row_sums = nullptr;        // [m]; null: nothing to take away
  const int32_t* w_zero = nullptr;           // [n]
  const int32_t* row_zero = nullptr;         // [m]; null: nothing to take away
  const int32_t* net_sum = nullptr;          // [n]
  const float* multiplier;                   // [n]
  const float* row_scale = nullptr;          // [m], floats only; null: 1
  ScaleOrder order = ScaleOrder::kRowFirst;  // of row_scale and multiplier
  const float* bias = nullptr;               // [n], floats only; may be null
  Requantize requantize;                     // bytes and halves only
  void* out;                                 // row r starts at out + r * row_bytes; nothing past n elements is written
  size_t row_bytes;
};

// Of 16-bit activations: sum (r, n) is 256 * high + low + start[n], less w_zero[n] * row_sums[r], in float64.
struct WideTile {
  const int32_t *high, *low;  // of the upper and the lower bytes; row r starts at r * stride
  size_t stride;
  size_t m, n;
  const double* before = nullptr;    // as high: sums of products that came before these; null: none did
  const double* start;               // [n]: bias and zero points
  const double* row_sums = nullptr;  // [m]; null: nothing to take away
  const int32_t* w_zero = nullptr;   // [n]
  const float* multiplier;           // [n]
  const float* bias = nullptr;       // [n], floats only; may be null
  Requantize requantize;             // bytes and halves only
  void* out;                         // row r starts at out + r * row_bytes; nothing past n elements is written
  size_t row_bytes;
};

struct FinishKernels {
  Isa isa;
  void (*bytes)(const FinishTile& tile);
  void (*floats)(const FinishTile& tile);
  void (*words)(const FinishTile& tile);   // int32
  void (*halves)(const FinishTile& tile);  // int16 or uint16
  void (*wide_bytes)(const WideTile& tile);
  void (*wide_halves)(const WideTile& tile);
  void (*wide_floats)(const WideTile& tile);
};

const FinishKernels& finish_kernels();  // the best for this machine

}  // namespace octavo
