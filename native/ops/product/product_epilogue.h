// What becomes of the sums of an integer product: corrections of rows, scales and zero points, bias, clamp, residual
// and table. Kernels do as much of it as they can (kernels/qgemm); what they leave is done here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/q8/q8.h"
#include "kernels/requantize/requantize.h"
#include "ops/product/product_operands.h"
#include "ops/support/scratch_plan.h"

namespace octavo {

// Arrays of columns. Those of groups lie one after the other, each padded to whole panels.
struct ProductColumns {
  int32_t* bias = nullptr;
  float* multiplier = nullptr;  // of real outputs: the scale
  float* float_bias = nullptr;
  int32_t* w_zero = nullptr;   // what remains of the weights' zero points
  int32_t* net_sum = nullptr;  // sums of the weights less those
  double* start = nullptr;     // of 16-bit activations: what the bias is of others; theirs is 0

  ProductColumns from(size_t column) const {
    return {bias + column,   multiplier + column, float_bias + column,
            w_zero + column, net_sum + column,    start ? start + column : nullptr};
  }
};

// Where they lie in a block of memory.
class ColumnScratch {
 public:
  // wide: of 16-bit activations.
  void add(ScratchPlan* plan, size_t columns, bool wide) {
    wide_ = wide;
    if (wide) start_ = plan->add<double>(columns);
    bias_ = plan->add<int32_t>(columns);
    multiplier_ = plan->add<float>(columns);
    float_bias_ = plan->add<float>(columns);
    w_zero_ = plan->add<int32_t>(columns);
    net_sum_ = plan->add<int32_t>(columns);
  }
  ProductColumns in(void* block) const {
    return {bias_.in(block),   multiplier_.in(block), float_bias_.in(block),
            w_zero_.in(block), net_sum_.in(block),    wide_ ? start_.in(block) : nullptr};
  }

 private:
  ScratchArray<int32_t> bias_, w_zero_, net_sum_;
  ScratchArray<float> multiplier_, float_bias_;
  ScratchArray<double> start_;
  bool wide_ = false;
};

// Scales and zero points of rows of x, where rows have some of their own or a run computes one for all.
struct ProductRows {
  const float* scale = nullptr;  // [scales]; null: rows have none of their own
  const void* zero = nullptr;    // [zeros] levels of `format`; null: 0
  size_t scales = 1, zeros = 1;  // one for all, or one for each
  Format format;
  int32_t shift = 0;  // to the kernel's signedness
  ScaleOrder order = ScaleOrder::kRowFirst;

  bool any() const { return scale != nullptr; }
  float scale_of(size_t row) const { return scale[scales == 1 ? 0 : row]; }
  int32_t zero_of(size_t row) const { return (zero ? level_at(zero, zeros == 1 ? 0 : row, format) : 0) + shift; }
};

struct ProductEpilogue {
  ProductColumns columns;
  ProductOutput output = ProductOutput::kBytes;
  int32_t x_zero = 0;         // in the kernel's signedness; its low byte fills padding, of 16 bits see PlaneZeros
  ProductRows rows;           // then x_zero is in no bias
  bool correct_rows = false;  // some w_zero is not zero
  bool same_w_zero = true;    // of all columns
  bool has_float_bias = false;
  Requantize requantize;
  Q8Binary residual = {};  // a: the requantized sums, b: the residual
  const uint8_t* table = nullptr;
};

// Sums of one tile, [m][stride] of which n columns count, and what belongs to its rows.
struct SumTile {
  const int32_t* sums = nullptr;
  size_t stride = 0;
  size_t m = 0, n = 0;
  const uint32_t* row_sums = nullptr;  // [m] of x; where correct_rows
  const int32_t* row_zero = nullptr;   // [m]; where rows.any()
  const float* row_scale = nullptr;    // [m]; where rows.any()
};

// The sums of columns from `column` on to the output, where the kernel could not write it itself: to real numbers, to
// levels of 16 bits, and where zero points of weights or of rows are left to take away.
void finish_tile(const ProductEpilogue& epilogue, size_t column, const SumTile& tile, uint8_t* out, size_t row_bytes);

// The same of 16-bit activations: sums of their upper and of their lower bytes.
struct WideSums {
  const int32_t *high = nullptr, *low = nullptr;
  const double* before = nullptr;  // what was summed before; null: nothing
  size_t stride = 0;
  size_t m = 0, n = 0;
  const double* row_sums = nullptr;  // [m] of x; where correct_rows
};
void finish_wide(const ProductEpilogue& epilogue, size_t column, const WideSums& sums, uint8_t* out, size_t row_bytes);

// What a kernel that adds a residual needs.
ResidualAdd residual_add(const Q8Binary& residual);

// Residual and table, over m rows of n bytes in place.
void finish_bytes(const ProductEpilogue& epilogue, uint8_t* out, const uint8_t* residual, size_t m, size_t n,
                  size_t row_bytes);

}  // namespace octavo
