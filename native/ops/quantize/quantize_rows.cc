// QuantizeRows: 8 bits of each row by its own range. A row is the last axis.
//
//   width = max(x, 0) - min(x, 0), symmetric: max |x|          scale = max(width / levels, least)
//   zero  = qmin + rint(-min(x, 0) / scale), symmetric: 0      y = clamp(rint(x / scale) + zero, qmin, qmax)
//
// Symmetric rows of uint8 have the zero point 128, which needs no output.
#include "kernels/q8/q8.h"
#include "kernels/rows/rows.h"
#include "ops/quantize/quantization.h"
#include "ops/support/chunks.h"

namespace octavo {
namespace {

struct Attributes {
  float levels = 255, least = 0;
  bool symmetric = false;
  int32_t middle = 0;  // the zero point of symmetric rows
  ops::Clamp clamp;

  Status load(const LoadContext& c) {
    const DType type = c.output(0).dtype;
    levels = c.number("levels", 0);
    least = c.number("least", 0);
    symmetric = c.integer("symmetric", 0) != 0;
    middle = format_of(type).is_signed ? 0 : 128;
    OCTAVO_RETURN_IF_ERROR(clamp.load(c, type));
    if (!ops::Quantization::valid(levels))
      return c.error(Code::kInvalidPlan, "expected finite positive levels, got " + std::to_string(levels));
    if (!(least >= 0 && least <= std::numeric_limits<float>::max()))
      return c.error(Code::kInvalidPlan, "expected a finite least scale, got " + std::to_string(least));
    const bool has_zero = c.outputs() > 2 && !c.output(2).name.empty();
    if (has_zero && c.output(2).dtype != type)
      return c.error(Code::kInvalidPlan, std::string("expected a zero point of type ") + dtype_name(type) + ", got " +
                                             dtype_name(c.output(2).dtype));
    if (has_zero == symmetric)
      return c.error(Code::kInvalidPlan, symmetric ? "symmetric rows have no zero point" : "zero_point is missing");
    return Status::Ok();
  }
};

class QuantizeRows final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = a;
    const Shape& x = c.in(0);
    if (x.rank < 1) return c.error(Code::kShape, "expected rows, got a scalar");
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", x, c.out(0)));
    n_ = x[x.rank - 1];
    rows_ = ops::span(x, 0, x.rank - 1);
    for (int i = 1; i < (a.symmetric ? 2 : 3); ++i)
      if (c.out(i).elements() != rows_)
        return c.error(Code::kShape, "expected " + std::to_string(rows_) + " scales and zero points, got " +
                                         ops::dims_text(c.out(i)));
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const float* x = c.in<float>(0);
    uint8_t* y = c.out<uint8_t>(0);
    float* scales = c.out<float>(1);
    uint8_t* zeros = attributes_.symmetric ? nullptr : c.out<uint8_t>(2);
    ops::for_rows(c.pool(), rows_, n_, [&](int64_t row) {
      const float* from = x + row * n_;
      float low = 0, high = 0;
      row_kernels().range(from, n_, &low, &high);
      int32_t zero = attributes_.middle;
      float scale = scale_of(!attributes_.symmetric ? high - low : high > -low ? high : -low);
      if (!attributes_.symmetric) zero = ops::round_q8(-low / scale, attributes_.clamp.qmin, attributes_.clamp);
      // Ranges leave out what is not a number; it has to reach the scale, and so what is computed of the row.
      const float sum = row_kernels().reduce(Reduction::kSumAbs, from, n_, 0);
      if (sum != sum) scale = sum;
      scales[row] = scale;
      if (zeros != nullptr) zeros[row] = static_cast<uint8_t>(zero);
      q8_kernels().quantize(from, y + row * n_, n_, scale, zero, attributes_.clamp.qmin, attributes_.clamp.qmax);
    });
    return Status::Ok();
  }

 private:
  float scale_of(float width) const {
    const float scale = width / attributes_.levels;
    return scale < attributes_.least ? attributes_.least : scale;
  }

  Attributes attributes_;
  int64_t rows_ = 0, n_ = 0;
};

}  // namespace

Status make_quantize_rows(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, QuantizeRows>(c, op);
}

}  // namespace octavo
