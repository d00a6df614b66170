// Operands of the integer products QConv, QConvTranspose and QMatMul as a plan has them: which are there, their types
// and formats, the constants among them, and, in a run, their values. What is made of them: product_fold.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/finish/finish.h"
#include "ops/quantize/quantization.h"
#include "ops/steps.h"

namespace octavo {

// Positions of inputs, which the three steps have in common (docs/steps.md).
using ProductInput = step::QConv;
static_assert(static_cast<int>(step::QMatMul::kA) == ProductInput::kX &&
              static_cast<int>(step::QMatMul::kB) == ProductInput::kW &&
              static_cast<int>(step::QMatMul::kTable) == ProductInput::kTable);
static_assert(static_cast<int>(step::QConvTranspose::kW) == ProductInput::kW &&
              static_cast<int>(step::QConvTranspose::kTable) == ProductInput::kTable);

// What a product writes: levels of 8 or of 16 bits, the sums themselves, or real numbers.
enum class ProductOutput : uint8_t { kBytes, kHalves, kInt32, kFloat };

inline bool is_quantized(ProductOutput output) {
  return output == ProductOutput::kBytes || output == ProductOutput::kHalves;
}
constexpr size_t bytes_of(ProductOutput output) {
  return output == ProductOutput::kBytes ? 1 : output == ProductOutput::kHalves ? 2 : 4;
}

// How many elements the parameters have. Known when a step is bound, of constants when it is loaded.
struct ParameterCounts {
  size_t w_scales = 1, w_zeros = 1;  // one for all columns, or one for each
  size_t x_scales = 1, x_zeros = 1;  // one for all rows, or one for each
  bool per_row = false;              // of several elements, or stated as [..., rows, 1]
};

// The values of all parameters in one run.
struct ProductParameters {
  Format x_format, w_format, q_format;  // q: what the sums are requantized to
  ProductOutput output = ProductOutput::kBytes;
  ParameterCounts counts;
  ops::QuantParams x;     // of all rows
  bool x_in_run = false;  // scale and zero point of x meet the sums of a run, and are not folded
  ScaleOrder order = ScaleOrder::kProduct;
  const float* row_scale = nullptr;  // x_in_run only: counts.x_scales of them; where counts.per_row, of any value
  const void* row_zero = nullptr;    // counts.x_zeros levels of x_format; null: 0
  const float* w_scale = nullptr;
  const void* w_zero = nullptr;  // levels of w_format; null: 0
  const int32_t* bias = nullptr;
  const float* float_bias = nullptr;
  ops::QuantParams y;  // of quantized outputs
  ops::Clamp clamp;
  const uint8_t* table = nullptr;
  bool has_residual = false;
  bool residual_signed = false;
  ops::QuantParams residual, sum;
  ops::Clamp sum_clamp;
};

class ProductOperands {
 public:
  Status load(const LoadContext& context);
  // Checks the sizes of the parameters for n columns in all groups and `rows` rows of x; 0 rows: they have no
  // parameters of their own.
  Status bind(const BindContext& context, int64_t n, int64_t rows, ParameterCounts* counts) const;
  // The same at load, where constant() holds.
  Status bind_constants(const LoadContext& context, int64_t n, ParameterCounts* counts) const;
  // `run` is null at load; then constant() must hold.
  Status read(const RunContext* run, const ParameterCounts& counts, ProductParameters* parameters) const;

  const Format& x_format() const { return x_.format(); }
  // Activations of 16 bits, which are multiplied as two planes of bytes.
  bool wide() const { return x_.format().bits == 16; }
  const Format& w_format() const { return w_format_; }
  ProductOutput output() const { return output_; }
  size_t output_bytes() const { return bytes_of(output_); }
  bool has_residual() const { return has_residual_; }
  bool has_table() const { return table_.present; }
  // All parameters that are folded are known at load.
  bool constant() const;
  // The scale and the zero point of x are left to the sums of a run: they are computed in it, or the sums meet the
  // scales one after the other.
  bool x_in_run() const {
    return !is_quantized(output_) && !wide() && (!x_.constant() || order_ != ScaleOrder::kProduct);
  }
  // False for constants of which load keeps what a run needs; weights are the operator's.
  bool reads_constant(int input) const;
  size_t copied_bytes() const {
    return w_scale_.copy.size() + w_zero_.copy.size() + bias_.copy.size() + table_.copy.size();
  }

  bool w_zero_constant() const { return !w_zero_.present || w_zero_.constant; }
  // Constant weight zero points are 1 or n.
  Status check_w_zero(const LoadContext& context, int64_t n) const;
  // The zero point of column n, of constant ones.
  int32_t w_zero(size_t n) const {
    return w_zero_.present ? level_at(w_zero_.copy.data(), w_zero_.count == 1 ? 0 : n, w_format_) : 0;
  }

 private:
  // A parameter that may be a constant (copied at load) or an input of the run.
  struct Operand {
    int input = 0;
    bool present = false, constant = false;
    size_t count = 0;  // elements, of constants
    std::vector<uint8_t> copy;
    void load(const LoadContext& context, int index);
    const void* data(const RunContext* run) const;
  };

  Status load_weights(const LoadContext& context);
  Status load_output(const LoadContext& context);
  Status load_order(const LoadContext& context);
  Status load_quantized_output(const LoadContext& context, DType type);
  Status check(const ParameterCounts& counts, size_t biases, size_t entries, int64_t n) const;

  Format w_format_, q_format_;
  ProductOutput output_ = ProductOutput::kBytes;
  ScaleOrder order_ = ScaleOrder::kProduct;
  bool has_order_ = false;
  ops::Quantization x_, y_, residual_, sum_;
  ops::Clamp clamp_, sum_clamp_;
  Operand w_scale_, w_zero_, bias_, table_;
  bool has_float_bias_ = false, has_residual_ = false;
};

}  // namespace octavo
