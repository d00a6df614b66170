#include "ops/product/product_operands.h"

namespace octavo {

void ProductOperands::Operand::load(const LoadContext& context, int index) {
  input = index;
  const TensorSpec* spec = context.input(index);
  present = spec != nullptr;
  constant = present && spec->constant;
  if (!constant) return;
  count = static_cast<size_t>(spec->shape.elements());
  copy.assign(spec->data, spec->data + spec->byte_length);
}

const void* ProductOperands::Operand::data(const RunContext* run) const {
  if (!present) return nullptr;
  return constant ? copy.data() : run->input(input);
}

Status ProductOperands::load(const LoadContext& c) {
  for (int i : {ProductInput::kX, ProductInput::kXScale, ProductInput::kW, ProductInput::kWScale})
    if (c.input(i) == nullptr) return c.error(Code::kInvalidPlan, "input " + std::to_string(i) + " is missing");
  if (c.outputs() != 1) return c.error(Code::kInvalidPlan, "expected 1 output, got " + std::to_string(c.outputs()));
  const DType out = c.output(0).dtype;
  output_ = out == DType::kFloat32                          ? ProductOutput::kFloat
            : out == DType::kInt32                          ? ProductOutput::kInt32
            : out == DType::kInt16 || out == DType::kUint16 ? ProductOutput::kHalves
                                                            : ProductOutput::kBytes;
  ops::QuantizationTraits traits;
  traits.halves = true;
  traits.per_row = !is_quantized(output_) && bit_width(c.input(ProductInput::kX)->dtype) == 8;
  OCTAVO_RETURN_IF_ERROR(
      x_.load(c, ProductInput::kXScale, ProductInput::kXZp, c.input(ProductInput::kX)->dtype, traits));
  if (wide() && output_ == ProductOutput::kInt32)
    return c.error(Code::kUnsupported, "sums of 16-bit activations, which may be longer than int32");
  OCTAVO_RETURN_IF_ERROR(load_weights(c));
  OCTAVO_RETURN_IF_ERROR(load_output(c));
  if (wide() && order_ != ScaleOrder::kProduct)
    return c.error(Code::kInvalidPlan, "scale_order needs activations of 8 bits");
  return Status::Ok();
}

Status ProductOperands::load_weights(const LoadContext& c) {
  const TensorSpec& w = *c.input(ProductInput::kW);
  if (!is_quantized_format(w.dtype) || bit_width(w.dtype) > 8)
    return c.error(Code::kUnsupported, std::string("expected weights of 8 bits or fewer, got ") + dtype_name(w.dtype));
  w_format_ = format_of(w.dtype);
  if (w_format_.bits < 8 && !w.constant)
    return c.error(Code::kUnsupported, std::string("expected constant weights of type ") + dtype_name(w.dtype));
  if (c.input(ProductInput::kWScale)->dtype != DType::kFloat32)
    return c.error(Code::kInvalidPlan,
                   std::string("expected a float32 w_scale, got ") + dtype_name(c.input(ProductInput::kWScale)->dtype));
  if (c.input(ProductInput::kWZp) && c.input(ProductInput::kWZp)->dtype != w.dtype)
    return c.error(Code::kInvalidPlan, std::string("w_zp is ") + dtype_name(c.input(ProductInput::kWZp)->dtype) +
                                           ", its tensor " + dtype_name(w.dtype));
  w_scale_.load(c, ProductInput::kWScale);
  w_zero_.load(c, ProductInput::kWZp);
  return Status::Ok();
}

Status ProductOperands::load_output(const LoadContext& c) {
  bias_.load(c, ProductInput::kBias);
  table_.load(c, ProductInput::kTable);
  has_float_bias_ = bias_.present && c.input(ProductInput::kBias)->dtype == DType::kFloat32;
  if (bias_.present && !has_float_bias_ && c.input(ProductInput::kBias)->dtype != DType::kInt32)
    return c.error(Code::kUnsupported, std::string("expected an int32 or float32 bias, got ") +
                                           dtype_name(c.input(ProductInput::kBias)->dtype));
  has_residual_ = c.input(ProductInput::kResidual) != nullptr;
  const DType out = c.output(0).dtype;
  if (output_ != ProductOutput::kBytes && (has_residual_ || table_.present))
    return c.error(Code::kInvalidPlan,
                   std::string("residual and table need a uint8 or int8 output, got ") + dtype_name(out));
  if (is_quantized(output_)) return load_quantized_output(c, out);
  OCTAVO_RETURN_IF_ERROR(load_order(c));
  if (c.input(ProductInput::kYScale))
    return c.error(Code::kInvalidPlan, std::string("y_scale needs a quantized output, got ") + dtype_name(out));
  if (has_float_bias_ && output_ == ProductOutput::kInt32)
    return c.error(Code::kInvalidPlan, "a float32 bias with an int32 output");
  return Status::Ok();
}

Status ProductOperands::load_order(const LoadContext& c) {
  const std::string order = c.text("scale_order", "");
  has_order_ = !order.empty();
  order_ = order == "a_first"   ? ScaleOrder::kRowFirst
           : order == "b_first" ? ScaleOrder::kColumnFirst
                                : ScaleOrder::kProduct;
  return Status::Ok();
}

Status ProductOperands::load_quantized_output(const LoadContext& c, DType out) {
  if (output_ == ProductOutput::kBytes && !is_quantized_activation(out))
    return c.error(Code::kUnsupported, std::string("output of type ") + dtype_name(out));
  if (has_float_bias_) return c.error(Code::kInvalidPlan, "a float32 bias needs a float32 output");
  if (table_.present && !is_quantized_activation(c.input(ProductInput::kTable)->dtype))
    return c.error(Code::kInvalidPlan,
                   std::string("expected a table of bytes, got ") + dtype_name(c.input(ProductInput::kTable)->dtype));
  // A table and a residual make another type of output than that of the requantized sums.
  const DType sum = c.input(ProductInput::kSumZp) ? c.input(ProductInput::kSumZp)->dtype : out;
  const DType q = c.input(ProductInput::kYZp) ? c.input(ProductInput::kYZp)->dtype : has_residual_ ? sum : out;
  ops::QuantizationTraits traits;
  traits.halves = output_ == ProductOutput::kHalves;
  OCTAVO_RETURN_IF_ERROR(y_.load(c, ProductInput::kYScale, ProductInput::kYZp, q, traits));
  if (bit_width(q) != bit_width(out))
    return c.error(Code::kInvalidPlan, std::string("y_zp is ") + dtype_name(q) + ", the output " + dtype_name(out));
  q_format_ = y_.format();
  OCTAVO_RETURN_IF_ERROR(clamp_.load(c, q));
  if (!has_residual_) return Status::Ok();
  OCTAVO_RETURN_IF_ERROR(residual_.load(c, ProductInput::kResidualScale, ProductInput::kResidualZp,
                                        c.input(ProductInput::kResidual)->dtype));
  OCTAVO_RETURN_IF_ERROR(sum_.load(c, ProductInput::kSumScale, ProductInput::kSumZp, sum));
  return sum_clamp_.load(c, sum, "sum_qmin", "sum_qmax");
}

bool ProductOperands::constant() const {
  const bool y = !is_quantized(output_) || y_.constant();
  const bool sum = !has_residual_ || (residual_.constant() && sum_.constant());
  return (x_.constant() || x_in_run()) && y && sum && w_scale_.constant && w_zero_constant() &&
         (!bias_.present || bias_.constant) && (!table_.present || table_.constant);
}

bool ProductOperands::reads_constant(int input) const {
  switch (input) {
    case ProductInput::kXScale:
    case ProductInput::kXZp: return !x_.constant() || x_in_run();
    case ProductInput::kYScale:
    case ProductInput::kYZp: return !y_.constant();
    case ProductInput::kResidualScale:
    case ProductInput::kResidualZp: return !residual_.constant();
    case ProductInput::kSumScale:
    case ProductInput::kSumZp: return !sum_.constant();
    case ProductInput::kW:
    case ProductInput::kWScale:
    case ProductInput::kWZp:
    case ProductInput::kBias:
    case ProductInput::kTable: return false;
    default: return true;
  }
}

Status ProductOperands::check_w_zero(const LoadContext& c, int64_t n) const {
  if (!w_zero_.constant || w_zero_.count == 1 || w_zero_.count == static_cast<size_t>(n)) return Status::Ok();
  return c.error(Code::kShape,
                 "w_zp: expected " + std::to_string(n) + " elements, got " + std::to_string(w_zero_.count));
}

Status ProductOperands::check(const ParameterCounts& counts, size_t biases, size_t entries, int64_t n) const {
  const size_t columns = static_cast<size_t>(n);
  const auto wrong = [&](const char* name, size_t got) {
    return Status::Error(
        Code::kShape, std::string(name) + ": expected " + std::to_string(n) + " elements, got " + std::to_string(got));
  };
  if (counts.w_scales != 1 && counts.w_scales != columns) return wrong("w_scale", counts.w_scales);
  if (w_zero_.present && counts.w_zeros != 1 && counts.w_zeros != columns) return wrong("w_zp", counts.w_zeros);
  if (bias_.present && biases != columns) return wrong("bias", biases);
  if (table_.present && entries != 256)
    return Status::Error(Code::kShape, "expected a table of 256 bytes, got " + std::to_string(entries));
  return Status::Ok();
}

Status ProductOperands::bind_constants(const LoadContext& c, int64_t n, ParameterCounts* counts) const {
  *counts = {w_scale_.count, w_zero_.count, 1, 1, false};
  const Status status = check(*counts, bias_.count, table_.count, n);
  return status.ok() ? status : c.error(status.code, status.message);
}

Status ProductOperands::bind(const BindContext& c, int64_t n, int64_t rows, ParameterCounts* counts) const {
  const auto count = [&](int i) { return c.has_input(i) ? static_cast<size_t>(c.in(i).elements()) : 0; };
  *counts = {count(ProductInput::kWScale), count(ProductInput::kWZp), 1, 1, false};
  const Status status = check(*counts, count(ProductInput::kBias), count(ProductInput::kTable), n);
  if (!status.ok()) return c.error(status.code, status.message);
  const bool per_row = rows > 0 && !is_quantized(output_) && !wide();
  for (int i : {ProductInput::kXScale, ProductInput::kXZp}) {
    if (!c.has_input(i) || (c.in(i).elements() == 1 && !(per_row && c.in(i).rank >= 2))) continue;
    if (!per_row || c.in(i).elements() != rows)
      return c.error(Code::kShape, "input " + std::to_string(i) + ": expected a scalar" +
                                       (per_row ? " or " + std::to_string(rows) + " elements" : "") + ", got " +
                                       ops::dims_text(c.in(i)));
    (i == ProductInput::kXScale ? counts->x_scales : counts->x_zeros) = static_cast<size_t>(rows);
    counts->per_row = true;
  }
  for (int i : {ProductInput::kYScale, ProductInput::kYZp, ProductInput::kResidualScale, ProductInput::kResidualZp,
                ProductInput::kSumScale, ProductInput::kSumZp})
    if (c.has_input(i) && c.in(i).elements() != 1)
      return c.error(Code::kShape,
                     "input " + std::to_string(i) + ": expected a scalar, got " + ops::dims_text(c.in(i)));
  if (has_residual_ && !(c.in(ProductInput::kResidual) == c.out(0)))
    return c.error(Code::kShape, "residual: expected " + ops::dims_text(c.out(0)) + ", got " +
                                     ops::dims_text(c.in(ProductInput::kResidual)));
  return Status::Ok();
}

Status ProductOperands::read(const RunContext* run, const ParameterCounts& counts, ProductParameters* p) const {
  const auto read = [&](const ops::Quantization& q, ops::QuantParams* out) {
    if (run) return q.read(*run, out);
    *out = q.loaded();
    return Status::Ok();
  };
  p->x_format = x_.format(), p->w_format = w_format_, p->q_format = q_format_;
  p->output = output_;
  p->counts = counts;
  p->x_in_run = x_in_run();
  p->order = counts.per_row && !has_order_ ? ScaleOrder::kRowFirst : order_;
  if (p->x_in_run && run) {
    p->row_scale = run->in<float>(ProductInput::kXScale);
    p->row_zero = run->input(ProductInput::kXZp);
  }
  if (!counts.per_row && (run || !p->x_in_run)) OCTAVO_RETURN_IF_ERROR(read(x_, &p->x));
  p->w_scale = static_cast<const float*>(w_scale_.data(run));
  p->w_zero = w_zero_.data(run);
  const void* bias = bias_.data(run);
  p->float_bias = has_float_bias_ ? static_cast<const float*>(bias) : nullptr;
  p->bias = has_float_bias_ ? nullptr : static_cast<const int32_t*>(bias);
  if (is_quantized(output_)) OCTAVO_RETURN_IF_ERROR(read(y_, &p->y));
  p->clamp = clamp_;
  p->table = static_cast<const uint8_t*>(table_.data(run));
  p->has_residual = has_residual_;
  if (!has_residual_) return Status::Ok();
  p->residual_signed = residual_.is_signed();
  OCTAVO_RETURN_IF_ERROR(read(residual_, &p->residual));
  OCTAVO_RETURN_IF_ERROR(read(sum_, &p->sum));
  p->sum_clamp = sum_clamp_;
  return Status::Ok();
}

}  // namespace octavo
