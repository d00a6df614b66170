#include "ops/product/qlinear.h"

#include <algorithm>
#include <cmath>

namespace octavo {

using ops::q8_value;

QLinearColumns QLinearColumns::split(void* memory, size_t columns) {
  auto* ints = static_cast<int32_t*>(memory);
  return {ints, reinterpret_cast<float*>(ints + columns), reinterpret_cast<float*>(ints + 2 * columns),
          ints + 3 * columns};
}

void QLinear::Operand::load(const LoadContext& context, int index) {
  input = index;
  const TensorSpec* spec = context.input(index);
  present = spec != nullptr;
  constant = present && spec->constant;
  if (!constant) return;
  count = static_cast<size_t>(spec->shape.elements());
  copy.assign(spec->data, spec->data + spec->byte_length);
}

const uint8_t* QLinear::Operand::data(const RunContext* run) const {
  if (!present) return nullptr;
  return constant ? copy.data() : run->in<uint8_t>(input);
}

Status QLinear::load(const LoadContext& c) {
  for (int i : {kX, kXScale, kW, kWScale})
    if (c.input(i) == nullptr) return c.error(Code::kInvalidPlan, "input " + std::to_string(i) + " is missing");
  if (c.outputs() != 1) return c.error(Code::kInvalidPlan, "expected 1 output, got " + std::to_string(c.outputs()));

  x_type_ = c.input(kX)->dtype;
  w_type_ = c.input(kW)->dtype;
  OCTAVO_RETURN_IF_ERROR(x_.load(c, kXScale, kXZero, x_type_));
  if (!is_quantized_activation(w_type_))
    return c.error(Code::kUnsupported, std::string("expected uint8 or int8 weights, got ") + dtype_name(w_type_));
  if (c.input(kWScale)->dtype != DType::kFloat32)
    return c.error(Code::kInvalidPlan,
                   std::string("expected a float32 w_scale, got ") + dtype_name(c.input(kWScale)->dtype));
  if (c.input(kWZero) && c.input(kWZero)->dtype != w_type_)
    return c.error(Code::kInvalidPlan, std::string("w_zp is ") + dtype_name(c.input(kWZero)->dtype) + ", its tensor " +
                                           dtype_name(w_type_));
  w_scale_.load(c, kWScale);
  w_zero_.load(c, kWZero);
  bias_.load(c, kBias);
  table_.load(c, kTable);
  float_bias_ = bias_.present && c.input(kBias)->dtype == DType::kFloat32;
  if (bias_.present && !float_bias_ && c.input(kBias)->dtype != DType::kInt32)
    return c.error(Code::kUnsupported,
                   std::string("expected an int32 or float32 bias, got ") + dtype_name(c.input(kBias)->dtype));

  const DType out = c.output(0).dtype;
  output_ = out == DType::kFloat32 ? QLinearOutput::kFloat
            : out == DType::kInt32 ? QLinearOutput::kInt32
                                   : QLinearOutput::kBytes;
  has_residual_ = c.input(kResidual) != nullptr;
  if (output_ != QLinearOutput::kBytes) {
    if (has_residual_ || table_.present || c.input(kYScale))
      return c.error(Code::kInvalidPlan,
                     std::string("y_scale, residual and table need a uint8 or int8 output, got ") + dtype_name(out));
    if (float_bias_ && output_ == QLinearOutput::kInt32)
      return c.error(Code::kInvalidPlan, "a float32 bias with an int32 output");
    return Status::Ok();
  }
  if (!is_quantized_activation(out))
    return c.error(Code::kUnsupported, std::string("output of type ") + dtype_name(out));
  if (float_bias_) return c.error(Code::kInvalidPlan, "a float32 bias needs a float32 output");
  if (table_.present && !is_quantized_activation(c.input(kTable)->dtype))
    return c.error(Code::kInvalidPlan,
                   std::string("expected a table of bytes, got ") + dtype_name(c.input(kTable)->dtype));
  sum_type_ = c.input(kSumZero) ? c.input(kSumZero)->dtype : out;
  q_type_ = c.input(kYZero) ? c.input(kYZero)->dtype : has_residual_ ? sum_type_ : out;
  OCTAVO_RETURN_IF_ERROR(y_.load(c, kYScale, kYZero, q_type_));
  OCTAVO_RETURN_IF_ERROR(clamp_.load(c, q_type_));
  if (!has_residual_) return Status::Ok();
  OCTAVO_RETURN_IF_ERROR(residual_.load(c, kResidualScale, kResidualZero, c.input(kResidual)->dtype));
  OCTAVO_RETURN_IF_ERROR(sum_.load(c, kSumScale, kSumZero, sum_type_));
  const int64_t low = c.integer("sum_qmin", ops::q8_min(sum_type_)),
                high = c.integer("sum_qmax", ops::q8_max(sum_type_));
  if (low < ops::q8_min(sum_type_) || high > ops::q8_max(sum_type_) || low > high)
    return c.error(Code::kInvalidPlan,
                   "bounds of the sum: [" + std::to_string(low) + ", " + std::to_string(high) + "]");
  sum_clamp_.qmin = static_cast<int32_t>(low);
  sum_clamp_.qmax = static_cast<int32_t>(high);
  return Status::Ok();
}

bool QLinear::parameters_constant() const {
  const bool y = output_ != QLinearOutput::kBytes || y_.constant();
  const bool sum = !has_residual_ || (residual_.constant() && sum_.constant());
  return x_.constant() && y && sum && w_scale_.constant && w_zero_constant() && (!bias_.present || bias_.constant) &&
         (!table_.present || table_.constant);
}

bool QLinear::reads_constant(int input) const {
  switch (input) {
    case kXScale:
    case kXZero: return !x_.constant();
    case kYScale:
    case kYZero: return !y_.constant();
    case kResidualScale:
    case kResidualZero: return !residual_.constant();
    case kSumScale:
    case kSumZero: return !sum_.constant();
    case kW:
    case kWScale:
    case kWZero:
    case kBias:
    case kTable: return false;
    default: return true;
  }
}

Status QLinear::check_w_zero(const LoadContext& c, int64_t n) const {
  if (!w_zero_.constant || w_zero_.count == 1 || w_zero_.count == static_cast<size_t>(n)) return Status::Ok();
  return c.error(Code::kShape,
                 "w_zp: expected " + std::to_string(n) + " elements, got " + std::to_string(w_zero_.count));
}

int32_t QLinear::w_zero(size_t n) const {
  if (!w_zero_.present) return 0;
  return q8_value(w_zero_.copy[w_zero_.count == 1 ? 0 : n], ops::is_signed_q8(w_type_));
}

Status QLinear::check(size_t scales, size_t zeros, size_t biases, size_t entries, int64_t n, QLinearShape* shape,
                      std::string* what) const {
  const size_t columns = static_cast<size_t>(n);
  const auto wrong = [&](const char* name, size_t got) {
    *what = std::string(name) + ": expected " + std::to_string(n) + " elements, got " + std::to_string(got);
    return Status::Error(Code::kShape, *what);
  };
  if (scales != 1 && scales != columns) return wrong("w_scale", scales);
  if (w_zero_.present && zeros != 1 && zeros != columns) return wrong("w_zp", zeros);
  if (bias_.present && biases != columns) return wrong("bias", biases);
  if (table_.present && entries != 256)
    return Status::Error(Code::kShape, *what = "expected a table of 256 bytes, got " + std::to_string(entries));
  shape->scalar_scale = scales == 1;
  shape->scalar_w_zero = zeros == 1;
  return Status::Ok();
}

Status QLinear::check_constants(const LoadContext& c, int64_t n, QLinearShape* shape) const {
  std::string what;
  const Status status = check(w_scale_.count, w_zero_.count, bias_.count, table_.count, n, shape, &what);
  return status.ok() ? status : c.error(status.code, what);
}

Status QLinear::bind(const BindContext& c, int64_t n, QLinearShape* shape) const {
  const auto count = [&](int i) { return c.has_input(i) ? static_cast<size_t>(c.in(i).elements()) : 0; };
  std::string what;
  const Status status = check(count(kWScale), count(kWZero), count(kBias), count(kTable), n, shape, &what);
  if (!status.ok()) return c.error(status.code, what);
  for (int i : {kXScale, kXZero, kYScale, kYZero, kResidualScale, kResidualZero, kSumScale, kSumZero})
    if (c.has_input(i) && c.in(i).elements() != 1)
      return c.error(Code::kShape,
                     "input " + std::to_string(i) + ": expected a scalar, got " + ops::dims_text(c.in(i)));
  if (has_residual_ && !(c.in(kResidual) == c.out(0)))
    return c.error(Code::kShape,
                   "residual: expected " + ops::dims_text(c.out(0)) + ", got " + ops::dims_text(c.in(kResidual)));
  return Status::Ok();
}

void QLinearColumns::repeat(const QLinearShape& s, size_t group, uint32_t x_zero) const {
  const size_t at = group * s.padded;
  std::copy_n(multiplier, s.padded, multiplier + at);
  std::copy_n(float_bias, s.padded, float_bias + at);
  std::copy_n(w_zero, s.padded, w_zero + at);
  for (size_t i = 0; i < s.padded; ++i) {
    const uint32_t sums = s.sums ? static_cast<uint32_t>(s.sums[i]) - static_cast<uint32_t>(s.sums[at + i]) : 0;
    bias[at + i] = static_cast<int32_t>(static_cast<uint32_t>(bias[i]) + x_zero * sums);
  }
}

Status QLinear::fold(const RunContext* run, const QLinearShape& s, QLinearParameters* p) const {
  const auto bad = [&](const std::string& what) {
    return run ? run->error(Code::kData, what) : Status::Error(Code::kData, what);
  };
  const auto read = [&](const ops::Quantization& q, ops::QuantParams* out) {
    if (run) return q.read(*run, out);
    *out = q.loaded();
    return Status::Ok();
  };
  ops::QuantParams x, y, residual, sum;
  OCTAVO_RETURN_IF_ERROR(read(x_, &x));
  const bool bytes = output_ == QLinearOutput::kBytes;
  if (bytes) OCTAVO_RETURN_IF_ERROR(read(y_, &y));
  if (has_residual_) {
    OCTAVO_RETURN_IF_ERROR(read(residual_, &residual));
    OCTAVO_RETURN_IF_ERROR(read(sum_, &sum));
  }

  // Into the kernel's signedness: x ^ 0x80 moves every value, and the zero point, by 128.
  const bool x_signed = ops::is_signed_q8(x_type_), w_signed = ops::is_signed_q8(w_type_);
  p->x_zero = x.zp + (x_signed == s.a_signed ? 0 : s.a_signed ? -128 : 128);
  p->correct_rows = false;
  p->same_w_zero = true;

  // Activations are 127.5 around their middle, which bounds sums of known weights; of others only their type is known.
  const double middle = s.a_signed ? -0.5 : 127.5;
  const double largest_x = std::abs(middle - p->x_zero) + 127.5;
  bool small = true, words = true, exact = true;
  const uint8_t* scales = w_scale_.data(run);
  const uint8_t* zeros = w_zero_.data(run);
  const uint8_t* biases = bias_.data(run);
  for (size_t g = 0; g < s.groups; ++g) {
    if (g > 0 && s.repeat) {
      p->columns.repeat(s, g, static_cast<uint32_t>(p->x_zero));
      words = words && s.magnitudes == nullptr;
      continue;
    }
    for (size_t i = 0; i < s.padded; ++i) {
      const size_t at = g * s.padded + i, n = (s.repeat ? 0 : g * s.n) + i;
      if (i >= s.n) {
        p->columns.bias[at] = p->columns.w_zero[at] = 0;
        p->columns.multiplier[at] = p->columns.float_bias[at] = 0;
        continue;
      }
      float scale;
      std::memcpy(&scale, scales + (s.scalar_scale ? 0 : n) * sizeof scale, sizeof scale);
      if (!ops::Quantization::valid(scale))
        return bad("w_scale " + std::to_string(n) + ": " + ops::Quantization::bad_scale(scale));
      const float product = flush_subnormal(x.scale * scale);
      const float m = bytes ? flush_subnormal(product / y.scale) : product;
      if (!(m <= std::numeric_limits<float>::max()))
        return bad("the scales of column " + std::to_string(n) + " overflow float32");
      p->columns.multiplier[at] = m;
      small &= m < 0.5f;

      int32_t zero = 0;
      if (!s.w_zero_folded) {
        zero = zeros ? q8_value(zeros[s.scalar_w_zero ? 0 : n], w_signed) : 0;
        zero -= w_signed ? 0 : 128;
      }
      p->columns.w_zero[at] = zero;
      p->correct_rows |= zero != 0;
      p->same_w_zero &= zero == p->columns.w_zero[0];
      uint32_t bias = 0;
      p->columns.float_bias[at] = 0;
      if (biases && float_bias_) std::memcpy(&p->columns.float_bias[at], biases + n * sizeof(float), sizeof(float));
      else if (biases) std::memcpy(&bias, biases + n * sizeof bias, sizeof bias);
      const double own_bias = std::abs(static_cast<double>(static_cast<int32_t>(bias)));
      const uint32_t zx = static_cast<uint32_t>(p->x_zero);
      if (s.sums) bias -= zx * static_cast<uint32_t>(s.sums[at]);
      bias += static_cast<uint32_t>(s.depth) * zx * static_cast<uint32_t>(zero);
      p->columns.bias[at] = static_cast<int32_t>(bias);
      if (!words) continue;
      // A sum of such a bound does not wrap.
      const double bound = s.magnitudes && zero == 0
                               ? std::abs(p->columns.bias[at] + middle * s.sums[at]) + 127.5 * s.magnitudes[at]
                               : own_bias + static_cast<double>(s.depth) * largest_x * (std::abs(zero + 0.5) + 127.5);
      words = bound * static_cast<double>(m) < Requantize::kWordBound;
      exact &= words && bound < Requantize::kExactBound;
    }
  }

  if (!bytes) return Status::Ok();
  p->requantize = {static_cast<float>(clamp_.qmin - y.zp),
                   static_cast<float>(clamp_.qmax - y.zp),
                   y.zp,
                   small,
                   words,
                   words && exact};
  p->table = table_.data(run);
  if (!has_residual_) return Status::Ok();
  Q8Binary& r = p->residual;
  r.a_signed = ops::is_signed_q8(q_type_);
  r.b_signed = residual_.is_signed();
  r.b_scalar = false;
  r.za = y.zp, r.zb = residual.zp, r.zy = sum.zp;
  r.ra = y.scale / sum.scale, r.rb = residual.scale / sum.scale;
  r.qmin = sum_clamp_.qmin, r.qmax = sum_clamp_.qmax;
  return Status::Ok();
}

}  // namespace octavo
