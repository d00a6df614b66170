// QSoftmax along any axis; rows that do not lie together pass through the thread's scratch.
#include "kernels/math/math.h"
#include "kernels/qsoftmax/qsoftmax.h"
#include "ops/support/chunks.h"
#include "ops/support/scratch_plan.h"
#include "ops/quantize/quantization.h"
#include "ops/steps.h"

namespace octavo {
namespace {

struct Attributes {
  ops::Quantization x, y;
  ops::Clamp clamp;
  int64_t axis = 0;
  Status load(const LoadContext& c) {
    axis = c.integer("axis", 0);
    OCTAVO_RETURN_IF_ERROR(
        x.load(c, step::QSoftmax::kXScale, step::QSoftmax::kXZp, c.input(step::QSoftmax::kX)->dtype));
    OCTAVO_RETURN_IF_ERROR(y.load(c, step::QSoftmax::kYScale, step::QSoftmax::kYZp, c.output(0).dtype));
    return clamp.load(c, c.output(0).dtype);
  }
};

class QSoftmax final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = a;
    const Shape& in = c.in(0);
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", in, c.out(0)));
    if (a.axis < 0 || a.axis >= in.rank)
      return c.error(Code::kInvalidPlan, "axis " + std::to_string(a.axis) + " of " + ops::dims_text(in));
    OCTAVO_RETURN_IF_ERROR(a.x.bind(c));
    OCTAVO_RETURN_IF_ERROR(a.y.bind(c));
    const int axis = static_cast<int>(a.axis);
    outer_ = ops::span(in, 0, axis);
    n_ = in[axis];
    inner_ = ops::span(in, axis + 1, in.rank);
    const size_t row = inner_ == 1 ? 0 : static_cast<size_t>(n_), slack = inner_ == 1 ? 0 : kReadSlack;
    ScratchPlan scratch;
    values_ = scratch.add<float>(static_cast<size_t>(qsoftmax_values(n_)));
    from_ = scratch.add<uint8_t>(row, slack);
    to_ = scratch.add<uint8_t>(row, slack);
    if (!scratch.fits()) return c.error(Code::kLimit, "a row of " + ops::dims_text(in));
    c.scratch(0, scratch.bytes());
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    ops::QuantParams x, y;
    OCTAVO_RETURN_IF_ERROR(attributes_.x.read(c, &x));
    OCTAVO_RETURN_IF_ERROR(attributes_.y.read(c, &y));
    if (n_ == 0) return Status::Ok();
    const QSoftmaxParameters p = parameters(x.scale, y);
    const uint8_t* in = c.in<uint8_t>(0);
    uint8_t* out = c.out<uint8_t>(0);
    const int64_t rows = outer_ * inner_, each = n_ >= ops::kChunk ? 1 : ops::kChunk / n_;
    const QSoftmaxKernel& kernel = qsoftmax_kernel();
    c.pool().for_each((rows + each - 1) / each, [&](int64_t task, int thread) {
      void* scratch = c.thread_scratch(thread);
      float* values = values_.in(scratch);
      const int64_t begin = task * each, end = rows - begin < each ? rows : begin + each;
      if (inner_ == 1) return kernel.rows(p, in + begin * n_, out + begin * n_, n_, end - begin, values);
      for (int64_t row = begin; row < end; ++row) {
        const int64_t at = row / inner_ * n_ * inner_ + row % inner_;
        uint8_t *from = from_.in(scratch), *to = to_.in(scratch);
        for (int64_t i = 0; i < n_; ++i) from[i] = in[at + i * inner_];
        kernel.rows(p, from, to, n_, 1, values);
        for (int64_t i = 0; i < n_; ++i) out[at + i * inner_] = to[i];
      }
    });
    return Status::Ok();
  }

 private:
  QSoftmaxParameters parameters(float x_scale, const ops::QuantParams& y) const {
    QSoftmaxParameters p = {
        {}, {}, attributes_.x.is_signed(), y.scale, y.zp, attributes_.clamp.qmin, attributes_.clamp.qmax};
    constexpr size_t kSlack = kReadSlack / sizeof(float);
    float coarse[16 + kSlack] = {}, fine[16 + kSlack] = {};
    for (int i = 0; i < 16; ++i) {
      coarse[i] = static_cast<float>(-16 * i) * x_scale;
      fine[i] = static_cast<float>(-i) * x_scale;
    }
    const float unused[2] = {0, 0};
    math_kernels().apply(VectorFunction::kExp, coarse, p.coarse, 16, unused);
    math_kernels().apply(VectorFunction::kExp, fine, p.fine, 16, unused);
    return p;
  }

  Attributes attributes_;
  int64_t outer_ = 0, n_ = 0, inner_ = 0;
  ScratchArray<float> values_;
  ScratchArray<uint8_t> from_, to_;  // a row gathered, and its results
};

}  // namespace

Status make_qsoftmax(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, QSoftmax>(c, op);
}

}  // namespace octavo
