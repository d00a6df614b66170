// Folding of scales, zero points and bias of an integer product into one bias and one multiplier per column: pure
// functions of values, which know no plan and no run.
//
//   acc[r][n] = sum (x - zx)(w - zw) + bias
//             = sum x w  +  (bias - zx sum w + K zx zw)  -  zw sum x[r]
//                kernel      folded bias, per column         only where a weight zero point remains
//
// Where rows have zero points of their own, or x has one that a run computes, what they take away stays per row and
// column:
//
//   acc[r][n] = sum x w  +  bias  -  zx[r] (sum w - K zw)  -  zw sum x[r]
//
// Of 16-bit activations, which are multiplied as two planes of bytes, the folded bias is a float64.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/product/product_epilogue.h"
#include "ops/product/product_operands.h"

namespace octavo {

// How the columns (outputs of a sum) of a product lie in arrays, and what is known of the weights there.
struct ProductShape {
  size_t groups = 1;
  size_t n = 0;                          // columns per group
  bool repeat = false;                   // all groups have the same n parameters (batches); else each its own
  size_t padded = 0;                     // of one group in the arrays
  uint64_t depth = 0;                    // K: products per sum
  const int32_t* sums = nullptr;         // [groups][padded]: sums of the packed weights
  const uint32_t* magnitudes = nullptr;  // [groups][padded]: sums of their absolute values, where these are known
  bool a_signed = false;                 // the kernel's activations
  bool ternary = false;                  // the kernel takes them less their zero point: -1, 0 or 1
  bool w_zero_folded = false;            // the zero points were subtracted when the weights were packed
  int32_t w_offset = 0;                  // else: subtracted instead, so that all formats are int8
  ParameterCounts counts;

  size_t columns() const { return groups * padded; }
};

// Fills `columns`, [groups][padded] each, and what the epilogue takes of the parameters. An error is Code::kData: a
// scale that is not finite and positive, or scales whose product overflows.
Status fold_product(const ProductParameters& parameters, const ProductShape& shape, const ProductColumns& columns,
                    ProductEpilogue* epilogue);

// What the epilogue takes of scale and zero point of x, where they are left to the sums of a run.
void set_rows(const ProductParameters& parameters, const ProductShape& shape, ProductEpilogue* epilogue);

}  // namespace octavo
