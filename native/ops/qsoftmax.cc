// QSoftmax: exp of the distance from the row's largest byte is one of 256 values, so a row needs one table and one sum.
#include <cstring>

#include "kernels/math/math.h"
#include "kernels/q8/q8.h"
#include "kernels/rows/rows.h"
#include "ops/chunks.h"
#include "ops/quantization.h"

namespace octavo {
namespace {

struct Attributes {
  ops::Quantization x, y;
  ops::Clamp clamp;
  int64_t axis = 0;
  Status load(const LoadContext& c) {
    OCTAVO_RETURN_IF_ERROR(ops::expect_arity(c, 1, 5, 1));
    axis = c.integer("axis", 0);
    OCTAVO_RETURN_IF_ERROR(x.load(c, 1, 2, c.input(0)->dtype));
    OCTAVO_RETURN_IF_ERROR(y.load(c, 3, 4, c.output(0).dtype));
    return clamp.load(c, c.output(0).dtype);
  }
};

class QSoftmax final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = a;
    const Shape& in = c.in(0);
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", in, c.out(0)));
    if (a.axis < 0 || a.axis >= in.rank) return c.error(Code::kInvalidPlan, "axis " + std::to_string(a.axis) + " of " + ops::dims_text(in));
    OCTAVO_RETURN_IF_ERROR(a.x.bind(c));
    OCTAVO_RETURN_IF_ERROR(a.y.bind(c));
    const int axis = static_cast<int>(a.axis);
    outer_ = ops::span(in, 0, axis);
    n_ = in[axis];
    inner_ = ops::span(in, axis + 1, in.rank);
    row_bytes_ = (static_cast<size_t>(n_) * sizeof(float) + 2 * kReadSlack) / 64 * 64;
    c.scratch(0, row_bytes_);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    ops::QuantParams x, y;
    OCTAVO_RETURN_IF_ERROR(attributes_.x.read(c, &x));
    OCTAVO_RETURN_IF_ERROR(attributes_.y.read(c, &y));
    float distances[256 + kReadSlack / sizeof(float)] = {}, e[256 + kReadSlack / sizeof(float)];
    for (int d = 0; d < 256; ++d) distances[d] = static_cast<float>(-d) * x.scale;
    const float unused[2] = {0, 0};
    math_kernels().apply(VectorFunction::kExp, distances, e, 256, unused);
    if (n_ == 0) return Status::Ok();
    const uint8_t* in = c.in<uint8_t>(0);
    uint8_t* out = c.out<uint8_t>(0);
    const int64_t rows = outer_ * inner_, each = n_ >= ops::kChunk ? 1 : ops::kChunk / n_;
    c.pool().for_each((rows + each - 1) / each, [&](int64_t task, int thread) {
      float* values = static_cast<float*>(c.thread_scratch(thread));
      const int64_t begin = task * each, end = rows - begin < each ? rows : begin + each;
      for (int64_t row = begin; row < end; ++row) {
        const int64_t at = row / inner_ * n_ * inner_ + row % inner_;
        softmax_row(in + at, out + at, e, values, y);
      }
    });
    return Status::Ok();
  }

 private:
  // Element i is at x[i * inner_].
  void softmax_row(const uint8_t* x, uint8_t* y, const float* e, float* values, const ops::QuantParams& py) const {
    const uint8_t flip = attributes_.x.is_signed() ? 0x80 : 0;  // int8 in the order of uint8
    uint8_t top = 0;
    for (int64_t i = 0; i < n_; ++i) {
      const uint8_t b = x[i * inner_] ^ flip;
      if (b > top) top = b;
    }
    for (int64_t i = 0; i < n_; ++i) values[i] = e[top - (x[i * inner_] ^ flip)];
    const float sum = row_kernels().reduce(Reduction::kSum, values, n_, 0);
    if (n_ > 256) {
      uint8_t table[256];
      for (int b = 0; b < 256; ++b) table[b] = b <= top ? quantized(e[top - b], sum, py) : 0;
      for (int64_t i = 0; i < n_; ++i) y[i * inner_] = table[x[i * inner_] ^ flip];
    } else {
      for (int64_t i = 0; i < n_; ++i) y[i * inner_] = quantized(values[i], sum, py);
    }
  }
  uint8_t quantized(float e, float sum, const ops::QuantParams& y) const {
    const float p = e / sum;
    return static_cast<uint8_t>(ops::round_q8(p / y.scale, y.zp, attributes_.clamp));
  }

  Attributes attributes_;
  int64_t outer_ = 0, n_ = 0, inner_ = 0;
  size_t row_bytes_ = 0;
};

}  // namespace

Status make_qsoftmax(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, QSoftmax>(c, op); }

}  // namespace octavo
