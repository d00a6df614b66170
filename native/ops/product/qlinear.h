// What QConv, QConvTranspose and QMatMul share: their operands, and the folding of scales and zero points into one
// bias and one multiplier per column.
//
//   acc[r][n] = sum (x - zx)(w - zw) + bias
//             = sum x w  +  (bias - zx sum w + K zx zw)  -  zw sum x[r]
//                kernel      folded bias, per column         only where a weight zero point remains
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/q8/q8.h"
#include "kernels/requantize/requantize.h"
#include "ops/support/aligned_buffer.h"
#include "ops/quantize/quantization.h"

namespace octavo {

// Inputs of the three steps, in order (docs/steps.md).
enum QLinearInput : int {
  kX,
  kXScale,
  kXZero,
  kW,
  kWScale,
  kWZero,
  kYScale,
  kYZero,
  kBias,
  kResidual,
  kResidualScale,
  kResidualZero,
  kSumScale,
  kSumZero,
  kTable,
};

enum class QLinearOutput : uint8_t { kBytes, kFloat, kInt32 };

// How the columns (outputs of a sum) of a step lie in the packed arrays, and what is known of the weights there.
struct QLinearShape {
  size_t groups = 1;
  size_t n = 0;                   // columns per group
  bool repeat = false;            // all groups have the same n parameters (batches); else each its own
  size_t padded = 0;              // of one group in the arrays
  uint64_t depth = 0;             // K: products per sum
  const int32_t* sums = nullptr;  // [groups][padded]: sums of the packed weights; null: zero point of x not folded here
  const uint32_t* magnitudes = nullptr;  // [groups][padded]: sums of their absolute values, where these are known
  bool a_signed = false;                 // the kernel's activations
  bool w_zero_folded = false;            // the zero points were subtracted when the weights were packed
  bool scalar_scale = true;              // one w_scale for all columns
  bool scalar_w_zero = true;             // one w_zp for all
};

// What a run needs besides packed weights: arrays of [groups][padded].
struct QLinearColumns {
  int32_t* bias = nullptr;
  float* multiplier = nullptr;  // of f32 outputs: the scale
  float* float_bias = nullptr;
  int32_t* w_zero = nullptr;

  static constexpr size_t kBytes = 4 * sizeof(int32_t);  // of one column
  static QLinearColumns split(void* memory, size_t columns);
  // The columns of a later group that has the parameters of the first, and sums of its own.
  void repeat(const QLinearShape& shape, size_t group, uint32_t x_zero) const;
};

struct QLinearParameters {
  QLinearColumns columns;
  int32_t x_zero = 0;         // in the kernel's signedness; its low byte fills padding
  bool correct_rows = false;  // some w_zero is not zero
  bool same_w_zero = true;    // of all columns
  Requantize requantize;
  Q8Binary residual = {};  // a: the requantized sums, b: the residual
  const uint8_t* table = nullptr;
};

class QLinear {
 public:
  Status load(const LoadContext& context);
  // Checks the sizes of the parameters for n columns in all groups, and notes in `shape` which are scalars.
  Status bind(const BindContext& context, int64_t n, QLinearShape* shape) const;
  // The same at load, where parameters_constant() holds.
  Status check_constants(const LoadContext& context, int64_t n, QLinearShape* shape) const;
  // `run` is null at load; then parameters_constant() must hold.
  Status fold(const RunContext* run, const QLinearShape& shape, QLinearParameters* parameters) const;

  DType x_type() const { return x_type_; }
  DType w_type() const { return w_type_; }
  QLinearOutput output() const { return output_; }
  size_t output_bytes() const { return output_ == QLinearOutput::kBytes ? 1 : 4; }
  bool has_residual() const { return has_residual_; }
  bool has_table() const { return table_.present; }
  bool float_bias() const { return bias_.present && float_bias_; }
  // Everything that fold reads is known at load.
  bool parameters_constant() const;
  // False for constants of which load keeps what a run needs; weights are the operator's.
  bool reads_constant(int input) const;
  size_t copied_bytes() const {
    return w_scale_.copy.size() + w_zero_.copy.size() + bias_.copy.size() + table_.copy.size();
  }
  bool w_zero_constant() const { return !w_zero_.present || w_zero_.constant; }
  // Constant weight zero points are 1 or n.
  Status check_w_zero(const LoadContext& context, int64_t n) const;
  // The zero point of column n, of constant ones.
  int32_t w_zero(size_t n) const;

 private:
  Status check(size_t scales, size_t zeros, size_t biases, size_t entries, int64_t n, QLinearShape* shape,
               std::string* what) const;
  // A parameter that may be a constant (copied at load) or an input of the run.
  struct Operand {
    int input = 0;
    bool present = false, constant = false;
    size_t count = 0;  // elements, of constants
    std::vector<uint8_t> copy;
    void load(const LoadContext& context, int index);
    const uint8_t* data(const RunContext* run) const;
  };
  DType x_type_ = DType::kUint8, w_type_ = DType::kInt8, q_type_ = DType::kUint8, sum_type_ = DType::kUint8;
  QLinearOutput output_ = QLinearOutput::kBytes;
  ops::Quantization x_, y_, residual_, sum_;
  ops::Clamp clamp_, sum_clamp_;
  Operand w_scale_, w_zero_, bias_, table_;
  bool float_bias_ = false, has_residual_ = false;
};

}  // namespace octavo
