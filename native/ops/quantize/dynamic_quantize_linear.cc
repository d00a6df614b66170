// DynamicQuantizeLinear: 8 bits of a tensor by its own range, which includes 0: levels and zero point of uint8, or 128
// less as int8.
#include "kernels/q8/q8.h"
#include "kernels/rows/rows.h"
#include "ops/support/chunks.h"
#include "ops/quantize/quantization.h"

namespace octavo {
namespace {

struct Attributes {
  int32_t shift = 0;  // what levels are less than those of uint8
  Status load(const LoadContext& c) {
    if (c.output(0).dtype != c.output(2).dtype)
      return c.error(Code::kInvalidPlan, std::string("expected a zero point of type ") + dtype_name(c.output(0).dtype) +
                                             ", got " + dtype_name(c.output(2).dtype));
    shift = format_of(c.output(0).dtype).is_signed ? 128 : 0;
    return Status::Ok();
  }
};

class DynamicQuantizeLinear final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    shift_ = a.shift;
    n_ = c.in(0).elements();
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", c.in(0), c.out(0)));
    if (c.out(1).elements() != 1 || c.out(2).elements() != 1)
      return c.error(Code::kShape, "expected scalars for scale and zero point");
    chunks_ = (n_ + ops::kChunk - 1) / ops::kChunk;
    c.scratch(static_cast<size_t>(chunks_) * sizeof(Range), 0);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const float* x = c.in<float>(0);
    Range* ranges = static_cast<Range*>(c.shared_scratch());
    c.pool().for_each(chunks_, [&](int64_t i, int) {
      const int64_t begin = i * ops::kChunk, n = n_ - begin < ops::kChunk ? n_ - begin : ops::kChunk;
      row_kernels().range(x + begin, n, &ranges[i].min, &ranges[i].max);
    });
    float min = 0, max = 0;
    for (int64_t i = 0; i < chunks_; ++i) {
      if (ranges[i].min < min) min = ranges[i].min;
      if (ranges[i].max > max) max = ranges[i].max;
    }
    const float width = max - min;
    float scale = width / 255.0f;
    if (!(scale > 0)) scale = 1;  // all zero, or so small that the quotient was flushed
    if (!ops::Quantization::valid(scale))
      return c.error(Code::kData, "the input is not finite, its range has no scale");
    const int32_t zp = ops::round_q8((0.0f - min) / scale, 0, ops::Clamp());
    *c.out<float>(1) = scale;
    *c.out<uint8_t>(2) = static_cast<uint8_t>(zp - shift_);
    uint8_t* y = c.out<uint8_t>(0);
    ops::for_chunks(c.pool(), n_, [&](int64_t begin, int64_t end) {
      q8_kernels().quantize(x + begin, y + begin, end - begin, scale, zp - shift_, 0 - shift_, 255 - shift_);
    });
    return Status::Ok();
  }

 private:
  struct Range {
    float min, max;
  };
  int64_t n_ = 0, chunks_ = 0;
  int32_t shift_ = 0;
};

}  // namespace

Status make_dynamic_quantize_linear(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, DynamicQuantizeLinear>(c, op);
}

}  // namespace octavo
