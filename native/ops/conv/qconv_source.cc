#include "ops/conv/qconv_source.h"

namespace octavo {

Status conv_weights_of(const LoadContext& c, const ProductOperands& operands, const ConvWindow& window,
                       WeightSource* source) {
  const TensorSpec& w = *c.input(ProductInput::kW);
  const size_t groups = static_cast<size_t>(window.group), rows = static_cast<size_t>(w.shape[0]);
  const size_t depth = static_cast<size_t>(w.shape[1]), taps = static_cast<size_t>(window.taps());
  int64_t channels = 0;
  if (__builtin_mul_overflow(w.shape[1], window.group, &channels)) return c.error(Code::kLimit, "too many channels");
  if (!holds_elements(w, rows * depth * taps))
    return c.error(Code::kInvalidPlan, "weights of " + std::to_string(w.byte_length) + " bytes");
  OCTAVO_RETURN_IF_ERROR(operands.check_w_zero(c, w.shape[0]));
  const size_t n = rows / groups;
  *source = {w.data, groups, n, depth, n * depth * taps, depth * taps, taps, {}, operands.w_format()};
  for (size_t tap = 0; tap < taps; ++tap) source->taps.push_back(tap);
  return Status::Ok();
}

}  // namespace octavo
