#include "ops/qconv_weights.h"

namespace octavo {

bool signed_weights(const TensorSpec& w, const QLinear& linear, size_t rows, size_t period, size_t depth, size_t taps,
                    AlignedBuffer* out, bool* zero_folded, bool* narrow) {
  if (!out->allocate(rows * depth * taps)) return false;
  const bool is_signed = ops::is_signed_q8(w.dtype);
  const size_t size = depth * taps;
  *zero_folded = linear.w_zero_constant();
  for (size_t r = 0; *zero_folded && r < rows; ++r) {
    const int32_t zero = linear.w_zero(r % period);
    for (size_t i = 0; i < size; ++i) {
      const int32_t v = ops::q8_value(w.data[r * size + i], is_signed) - zero;
      if (v < -128 || v > 127) {
        *zero_folded = false;
        break;
      }
    }
  }
  *narrow = true;
  for (size_t r = 0; r < rows; ++r) {
    const int32_t zero = *zero_folded ? linear.w_zero(r % period) : is_signed ? 0 : 128;
    for (size_t d = 0; d < depth; ++d)
      for (size_t t = 0; t < taps; ++t) {
        const int32_t v = ops::q8_value(w.data[(r * depth + d) * taps + t], is_signed) - zero;
        *narrow &= v != -128;
        out->as<int8_t>()[(r * taps + t) * depth + d] = static_cast<int8_t>(v);
      }
  }
  return true;
}

Status pack_qconv(const LoadContext& c, const QLinear& linear, const AlignedBuffer& weights, size_t groups, size_t n, size_t taps,
                  size_t k, bool zero_folded, const QGemmKernel& kernel, QConvWeights* out) {
  out->kernel = &kernel;
  size_t total = 0, column_bytes = 0;
  if (!make_qgemm_layout(kernel, taps, k, n, &out->layout) || __builtin_mul_overflow(out->layout.bytes(), groups, &total) ||
      __builtin_mul_overflow(out->layout.columns() * groups, QLinearColumns::kBytes, &column_bytes))
    return c.error(Code::kLimit, "the weights are too big");
  const QGemmLayout& l = out->layout;
  if (!out->packed.allocate(total) || !out->sums.allocate(l.columns() * groups * sizeof(int32_t)))
    return c.error(Code::kOutOfMemory, std::to_string(total) + " bytes of packed weights");
  for (size_t g = 0; g < groups; ++g)
    qgemm_pack(l, {weights.data() + g * n * taps * k, k, 1, taps * k, 0}, 0, l.panels, out->packed.as<int8_t>() + g * l.bytes(),
               out->sums.as<int32_t>() + g * l.columns());

  QLinearShape& s = out->shape;
  s.groups = groups;
  s.n = n;
  s.padded = l.columns();
  s.depth = static_cast<uint64_t>(taps) * k;
  s.sums = out->sums.as<int32_t>();
  s.a_signed = kernel.a_signed;
  s.w_zero_folded = zero_folded;
  if (!linear.parameters_constant()) return Status::Ok();
  OCTAVO_RETURN_IF_ERROR(linear.check_constants(c, static_cast<int64_t>(s.repeat ? n : groups * n), &s));
  if (!out->columns.allocate(column_bytes)) return c.error(Code::kOutOfMemory, "parameters");
  out->parameters.columns = QLinearColumns::split(out->columns.data(), s.padded * groups);
  const Status status = linear.fold(nullptr, s, &out->parameters);
  if (!status.ok()) return c.error(status.code, status.message);
  out->folded = true;
  return Status::Ok();
}

}  // namespace octavo
