// Scales, zero points and bounds of quantized activations, as inputs and attributes of a step (docs/steps.md).
#pragma once

#include <cmath>
#include <cstring>
#include <limits>

#include "engine/format.h"
#include "ops/support/op_support.h"

namespace octavo::ops {

struct QuantParams {
  float scale = 1;
  int32_t zp = 0;
};

// What a step takes of the parameters of one of its tensors.
struct QuantizationTraits {
  bool halves = false;   // int16 and uint16 besides int8 and uint8
  bool per_row = false;  // scales and zero points of several elements or of rank 2, which the step reads itself
};

// The number that a byte is.
inline int32_t q8_value(uint8_t byte, bool is_signed) { return is_signed ? static_cast<int8_t>(byte) : byte; }

// The scale and zero point inputs of one quantized tensor.
class Quantization {
 public:
  Status load(const LoadContext& c, int scale, int zp, DType type, QuantizationTraits traits = {}) {
    scale_ = scale;
    zp_ = zp;
    const bool takes =
        is_quantized_activation(type) || (traits.halves && is_quantized_format(type) && bit_width(type) == 16);
    if (!takes)
      return c.error(Code::kUnsupported, std::string("expected uint8 or int8 activations, got ") + dtype_name(type));
    format_ = format_of(type);
    const TensorSpec* s = c.input(scale);
    if (s == nullptr) return c.error(Code::kInvalidPlan, "scale, input " + std::to_string(scale) + ", is missing");
    if (s->dtype != DType::kFloat32)
      return c.error(Code::kInvalidPlan, std::string("expected a float32 scale, got ") + dtype_name(s->dtype));
    const TensorSpec* z = c.input(zp);
    if (z != nullptr && z->dtype != type)
      return c.error(Code::kInvalidPlan,
                     std::string("the zero point is ") + dtype_name(z->dtype) + ", its tensor " + dtype_name(type));
    has_zp_ = z != nullptr;
    constant_ = s->constant && (z == nullptr || z->constant);
    if (!constant_) return Status::Ok();
    const bool rows = traits.per_row && (s->rank >= 2 || (z != nullptr && z->rank >= 2));
    if (rows || s->byte_length != sizeof(float) || (z != nullptr && z->byte_length != byte_size(type))) {
      constant_ = false;
      if (traits.per_row) return Status::Ok();
      return c.error(Code::kShape, "expected a scalar scale and zero point for " + s->name);
    }
    std::memcpy(&loaded_.scale, s->data, sizeof(float));
    loaded_.zp = z == nullptr ? 0 : level_at(z->data, 0, format_);
    return valid(loaded_.scale) ? Status::Ok() : c.error(Code::kData, bad_scale(loaded_.scale));
  }
  Status bind(BindContext& c) const {
    if (c.in(scale_).elements() != 1 || (has_zp_ && c.in(zp_).elements() != 1))
      return c.error(Code::kShape, "expected a scalar scale and zero point, got " + dims_text(c.in(scale_)));
    return Status::Ok();
  }
  Status read(const RunContext& c, QuantParams* params) const {
    if (constant_) {
      *params = loaded_;
      return Status::Ok();
    }
    params->scale = *c.in<float>(scale_);
    params->zp = has_zp_ ? level_at(c.input(zp_), 0, format_) : 0;
    return valid(params->scale) ? Status::Ok() : c.error(Code::kData, bad_scale(params->scale));
  }
  bool constant() const { return constant_; }
  const QuantParams& loaded() const { return loaded_; }
  const Format& format() const { return format_; }
  bool is_signed() const { return format_.is_signed; }

  static bool valid(float scale) { return scale > 0 && scale <= std::numeric_limits<float>::max(); }
  static std::string bad_scale(float scale) { return "expected a finite positive scale, got " + std::to_string(scale); }

 private:
  int scale_ = 0, zp_ = 0;
  bool has_zp_ = false, constant_ = false;
  Format format_;
  QuantParams loaded_;
};

struct Clamp {
  int32_t qmin = 0, qmax = 255;
  // Two attributes; by default [low, high], the range of the output type.
  Status load(const LoadContext& c, int64_t low, int64_t high, const char* least = "qmin", const char* most = "qmax") {
    const int64_t lo = c.integer(least, low), hi = c.integer(most, high);
    if (lo < low || hi > high || lo > hi)
      return c.error(Code::kInvalidPlan, std::string("expected ") + least + ", " + most + " within [" +
                                             std::to_string(low) + ", " + std::to_string(high) + "], got [" +
                                             std::to_string(lo) + ", " + std::to_string(hi) + "]");
    qmin = static_cast<int32_t>(lo);
    qmax = static_cast<int32_t>(hi);
    return Status::Ok();
  }
  Status load(const LoadContext& c, DType type, const char* least = "qmin", const char* most = "qmax") {
    return load(c, format_of(type).low, format_of(type).high, least, most);
  }
};

// clamp(rint(x) + zp, qmin, qmax) as the kernels compute it: the clamp first, in float.
inline int32_t round_q8(float x, int32_t zp, const Clamp& clamp) {
  const float lo = static_cast<float>(clamp.qmin - zp), hi = static_cast<float>(clamp.qmax - zp);
  const float bounded = x > lo ? (x < hi ? x : hi) : lo;
  // |bounded| <= 510: adding 1.5 * 2^23 leaves the nearest integer, half to even.
  const volatile float shifted = bounded + 12582912.0f;
  return static_cast<int32_t>(shifted - 12582912.0f) + zp;
}

}  // namespace octavo::ops
