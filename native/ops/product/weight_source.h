// Constant weights of a product as the model has them: levels of any width up to 8 bits, in any order. Columns are
// taken out of them a panel at a time, so that no tensor of fewer bits is ever unpacked as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/op.h"
#include "ops/product/product_operands.h"
#include "ops/support/aligned_buffer.h"

namespace octavo {

// w(group, column, tap, k) is element group * group_stride + column * n_stride + taps[tap] + k * k_stride of the
// tensor.
struct WeightSource {
  const uint8_t* data = nullptr;
  size_t groups = 0, n = 0, k = 0;
  size_t group_stride = 0, n_stride = 0, k_stride = 1;
  std::vector<size_t> taps;
  Format format;

  // What a weight of this format is more than the int8 that a kernel gets, where its zero point is not subtracted.
  int32_t offset() const { return format.bits == 8 && !format.is_signed ? 128 : 0; }
};

// Whether a constant holds exactly so many elements.
[[nodiscard]] bool holds_elements(const TensorSpec& tensor, size_t count);

// Whether all weights are -1 or 1.
bool are_signs(const WeightSource& source);

// Columns of a source as bytes.
class WeightColumns {
 public:
  // `most`: columns that are asked for at a time.
  explicit WeightColumns(const WeightSource& source, size_t most);
  // False: out of memory, or the weights are too big.
  [[nodiscard]] bool allocate();
  // Columns [first, first + count) of a group, as a source of their own whose elements are bytes: int8 for formats of
  // less than 8 bits, and the tensor itself for those of 8. Valid until the next call.
  const WeightSource& take(size_t group, size_t first, size_t count);

 private:
  const WeightSource& source_;
  size_t most_;
  bool by_columns_;      // a column of the source lies together, else a row of columns
  size_t piece_ = 0;     // elements of what lies together
  AlignedBuffer bytes_;  // unpacked
  WeightSource taken_;
};

// What all weights of a step have in common.
struct WeightRange {
  bool zero_folded = false;  // every weight minus its zero point is an int8: so for uint8 weights around 128
  bool narrow = false;       // none is -128 then
};

// repeat: the groups are batches that share n zero points; else each has its own.
WeightRange weight_range(const LoadContext& c, const WeightSource& source, const ProductOperands& operands,
                         bool repeat);

// The zero point that is subtracted from a column when it is packed.
int32_t packed_zero(const WeightSource& source, const ProductOperands& operands, bool folded, bool repeat, size_t group,
                    size_t column);

}  // namespace octavo
