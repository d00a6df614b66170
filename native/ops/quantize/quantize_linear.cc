// QuantizeLinear: clamp(rint(x / scale) + zp); NaN gives the zero point.
#include <cmath>

#include "kernels/q8/q8.h"
#include "ops/support/chunks.h"
#include "ops/quantize/linear_granularity.h"
#include "ops/quantize/quantization.h"
#include "ops/steps.h"

namespace octavo {
namespace {

struct Attributes {
  int64_t axis = 1, block_size = 0;
  ops::Clamp clamp;

  Status load(const LoadContext& c) {
    axis = c.integer("axis", 1);
    block_size = c.integer("block_size", 0);
    const DType type = c.output(0).dtype;
    const TensorSpec* zp = c.input(step::QuantizeLinear::kYZp);
    if (zp != nullptr && zp->dtype != type)
      return c.error(Code::kInvalidPlan, "the zero point has another type than the output");
    return clamp.load(c, type);
  }
};

class QuantizeLinear final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    clamp_ = a.clamp;
    type_ = c.out_type(0);
    scales_ = c.in(1).elements();
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", c.in(0), c.out(0)));
    return at_.plan(c, a.axis, a.block_size);
  }

  Status run(RunContext& c) override {
    const float* scale = c.in<float>(1);
    for (int64_t i = 0; i < scales_; ++i)
      if (!ops::Quantization::valid(scale[i])) return c.error(Code::kData, ops::Quantization::bad_scale(scale[i]));
    const bool rows = at_.scales_inner == 0 && is_quantized_activation(type_);
    const bool halves = at_.scales_inner == 0 && bit_width(type_) == 16;
    if (halves && at_.rows() == 1) whole_halves(c);
    else if (halves && at_.inner >= 16) halves_by_rows(c);
    else if (rows && at_.rows() == 1) whole(c);
    else if (rows && at_.inner >= 16) by_rows(c);
    else one_by_one(c);
    return Status::Ok();
  }

 private:
  int32_t zero_point(const RunContext& c, int64_t i) const {
    const void* zp = c.input(2);
    return zp == nullptr ? 0 : level_at(zp, static_cast<size_t>(i * at_.zero_stride), format_of(type_));
  }
  void whole(RunContext& c) {
    const float* x = c.in<float>(0);
    uint8_t* y = c.out<uint8_t>(0);
    const float scale = *c.in<float>(1);
    const int32_t zp = zero_point(c, 0);
    ops::for_chunks(c.pool(), at_.inner, [&](int64_t begin, int64_t end) {
      q8_kernels().quantize(x + begin, y + begin, end - begin, scale, zp, clamp_.qmin, clamp_.qmax);
    });
  }
  void by_rows(RunContext& c) {
    const float* x = c.in<float>(0);
    uint8_t* y = c.out<uint8_t>(0);
    ops::for_rows(c.pool(), at_.rows(), at_.inner, [&](int64_t row) {
      const int64_t s = at_.scale_at(row), at = row * at_.inner;
      q8_kernels().quantize(x + at, y + at, at_.inner, c.in<float>(1)[s], zero_point(c, s), clamp_.qmin, clamp_.qmax);
    });
  }
  void whole_halves(RunContext& c) {
    const float scale = *c.in<float>(1);
    const int32_t zp = zero_point(c, 0);
    ops::for_chunks(c.pool(), at_.inner, [&](int64_t begin, int64_t end) {
      quantize_halves(c.in<float>(0) + begin, c.out<uint16_t>(0) + begin, end - begin, scale, zp);
    });
  }
  void halves_by_rows(RunContext& c) {
    ops::for_rows(c.pool(), at_.rows(), at_.inner, [&](int64_t row) {
      const int64_t s = at_.scale_at(row), at = row * at_.inner;
      quantize_halves(c.in<float>(0) + at, c.out<uint16_t>(0) + at, at_.inner, c.in<float>(1)[s], zero_point(c, s));
    });
  }
  void quantize_halves(const float* x, uint16_t* y, int64_t n, float scale, int32_t zp) const {
    const float lo = static_cast<float>(clamp_.qmin - zp), hi = static_cast<float>(clamp_.qmax - zp);
    for (int64_t i = 0; i < n; ++i) {
      const float scaled = x[i] / scale, number = scaled == scaled ? scaled : 0.0f;
      const float above = number > lo ? number : lo, bounded = above < hi ? above : hi;
      // |bounded| < 2^17: leaves the nearest integer, half to even.
      y[i] = static_cast<uint16_t>(static_cast<int32_t>(bounded + 12582912.0f - 12582912.0f) + zp);
    }
  }
  // In order on one thread: elements of a sub-byte type share a byte.
  void one_by_one(RunContext& c) {
    const Format format = format_of(type_);
    const float* x = c.in<float>(0);
    const float* scale = c.in<float>(1);
    for (int64_t row = 0, at = 0; row < at_.rows(); ++row) {
      int64_t s = at_.scale_at(row);
      for (int64_t i = 0; i < at_.inner; ++i, ++at, s += at_.scales_inner) {
        const int32_t zp = zero_point(c, s);
        const float scaled = x[at] / scale[s];
        const float lo = static_cast<float>(clamp_.qmin - zp), hi = static_cast<float>(clamp_.qmax - zp);
        const float number = scaled == scaled ? scaled : 0.0f;
        const float bounded = number > lo ? (number < hi ? number : hi) : lo;
        const volatile float shifted =
            bounded + 12582912.0f;  // |bounded| < 2^17: leaves the nearest integer, half to even
        set_level(c.output(0), static_cast<size_t>(at), format, static_cast<int32_t>(shifted - 12582912.0f) + zp);
      }
    }
  }

  ops::Clamp clamp_;
  DType type_ = DType::kUint8;
  int64_t scales_ = 0;
  ops::Granularity at_;
};

}  // namespace

Status make_quantize_linear(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, QuantizeLinear>(c, op);
}

}  // namespace octavo
