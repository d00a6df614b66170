// QConcat: quantized activations of different scales joined along an axis; those of the output's own parameters are
// copied.
#include <cstring>

#include "kernels/q8/q8.h"
#include "ops/support/chunks.h"
#include "ops/math/function_chain.h"
#include "ops/steps.h"

namespace octavo {
namespace {

struct Attributes {
  std::vector<ops::Quantization> inputs;
  ops::Quantization y;
  ops::Clamp clamp;
  int64_t axis = 0;

  Status load(const LoadContext& c) {
    const DType type = c.output(0).dtype;
    OCTAVO_RETURN_IF_ERROR(y.load(c, step::QConcat::kYScale, step::QConcat::kYZp, type));
    OCTAVO_RETURN_IF_ERROR(clamp.load(c, type));
    axis = c.integer("axis", 0);
    for (int i = step::QConcat::kX; i < c.inputs(); i += 3) {
      inputs.emplace_back();
      OCTAVO_RETURN_IF_ERROR(inputs.back().load(c, i + 1, i + 2, c.input(i)->dtype));
    }
    return inputs.empty() ? c.error(Code::kInvalidPlan, "nothing to join") : Status::Ok();
  }
};

class QConcat final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = a;
    const Shape& out = c.out(0);
    if (a.axis < 0 || a.axis >= out.rank)
      return c.error(Code::kInvalidPlan, "axis " + std::to_string(a.axis) + " of " + ops::dims_text(out));
    const int axis = static_cast<int>(a.axis);
    OCTAVO_RETURN_IF_ERROR(a.y.bind(c));
    rows_ = ops::span(out, 0, axis);
    const int64_t inner = ops::span(out, axis + 1, out.rank);
    int64_t joined = 0;
    for (size_t i = 0; i < a.inputs.size(); ++i) {
      OCTAVO_RETURN_IF_ERROR(a.inputs[i].bind(c));
      const Shape& in = c.in(static_cast<int>(i) * 3 + 2);
      Shape expected = out;
      if (in.rank == out.rank) expected.dims[axis] = in[axis];
      OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "input", expected, in));
      widths_.push_back(in[axis] * inner);
      joined += in[axis];
    }
    if (joined != out[axis])
      return c.error(Code::kShape, "the inputs have " + std::to_string(joined) + " along the axis, the output " +
                                       ops::dims_text(out));
    width_ = out[axis] * inner;
    c.scratch(256 * a.inputs.size(), 0);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    ops::QuantParams y;
    OCTAVO_RETURN_IF_ERROR(attributes_.y.read(c, &y));
    uint8_t* out = c.out<uint8_t>(0);
    uint8_t* table = static_cast<uint8_t*>(c.shared_scratch());
    const auto& clamp = attributes_.clamp;
    const bool bounded =
        clamp.qmin != (attributes_.y.is_signed() ? -128 : 0) || clamp.qmax != (attributes_.y.is_signed() ? 127 : 255);
    int64_t offset = 0;
    for (size_t i = 0; i < attributes_.inputs.size(); ++i, table += 256) {
      const ops::Quantization& own = attributes_.inputs[i];
      ops::QuantParams x;
      OCTAVO_RETURN_IF_ERROR(own.read(c, &x));
      const bool copy = !bounded && own.is_signed() == attributes_.y.is_signed() && x.scale == y.scale && x.zp == y.zp;
      if (!copy) ops::fill_table(ops::FunctionChain(), x, own.is_signed(), y, clamp, table);
      const uint8_t* in = c.in<uint8_t>(static_cast<int>(i) * 3 + 2);
      const int64_t n = widths_[i];
      // A long row is cut, a short one shares its task with others.
      const int64_t tiles = (n + ops::kChunk - 1) / ops::kChunk;
      ops::for_rows(c.pool(), rows_ * tiles, n < ops::kChunk ? n : ops::kChunk, [&](int64_t index) {
        const int64_t row = index / tiles, begin = index % tiles * ops::kChunk;
        const int64_t size = n - begin < ops::kChunk ? n - begin : ops::kChunk;
        const uint8_t* from = in + row * n + begin;
        uint8_t* to = out + row * width_ + offset + begin;
        if (copy) std::memcpy(to, from, static_cast<size_t>(size));
        else q8_kernels().lookup(from, to, size, table);
      });
      offset += n;
    }
    return Status::Ok();
  }

 private:
  Attributes attributes_;
  std::vector<int64_t> widths_;
  int64_t rows_ = 0, width_ = 0;
};

}  // namespace

Status make_qconcat(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, QConcat>(c, op); }

}  // namespace octavo
