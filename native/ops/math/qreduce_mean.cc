// QReduceMean: averages of quantized activations over axes (also GlobalAveragePool).
#include "kernels/q8/q8.h"
#include "ops/support/chunks.h"
#include "ops/math/quantized_reduction.h"
#include "ops/math/reduced_axes.h"
#include "ops/steps.h"

namespace octavo {
namespace {

using Attributes = ops::QuantizedReduction<step::QReduceMean>;

constexpr int64_t kColumns = 256;

class QReduceMean final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = a;
    OCTAVO_RETURN_IF_ERROR(axes_.plan(c, a.axes));
    OCTAVO_RETURN_IF_ERROR(a.bind(c));
    if (axes_.count > (1 << 22)) return c.error(Code::kUnsupported, "a mean of more than 2^22 elements");
    if (axes_.count == 0 && axes_.results > 0) return c.error(Code::kShape, "a mean of no elements");
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    ops::QuantParams x, y;
    OCTAVO_RETURN_IF_ERROR(attributes_.x.read(c, &x));
    OCTAVO_RETURN_IF_ERROR(attributes_.y.read(c, &y));
    if (axes_.results == 0) return Status::Ok();
    const int32_t without_zero = static_cast<int32_t>(axes_.count) * x.zp;
    const float wide = y.scale * static_cast<float>(axes_.count);
    const float m = x.scale / wide;
    const uint8_t* in = c.in<uint8_t>(0);
    uint8_t* out = c.out<uint8_t>(0);
    const auto requantize = [&](const int32_t* sums, int64_t at, int64_t n) {
      q8_kernels().requantize(sums, out + at, n, m, y.zp, attributes_.clamp.qmin, attributes_.clamp.qmax);
    };
    const bool is_signed = attributes_.x.is_signed();
    const int64_t inner = axes_.inner();
    if (axes_.is_simple() && inner > 1) {  // channels last: whole columns at once
      const int64_t tiles = (inner + kColumns - 1) / kColumns;
      c.pool().for_each(axes_.results / inner * tiles, [&](int64_t task, int) {
        const int64_t begin = task % tiles * kColumns, n = inner - begin < kColumns ? inner - begin : kColumns;
        const int64_t outer = task / tiles;
        int32_t sums[kColumns + kReadSlack / sizeof(int32_t)];
        for (int64_t i = 0; i < n; ++i) sums[i] = -without_zero;
        const uint8_t* from = in + outer * axes_.count * inner + begin;
        q8_kernels().add_rows(from, axes_.count, inner, is_signed, sums, n);
        requantize(sums, outer * inner + begin, n);
      });
      return Status::Ok();
    }
    ops::for_rows(c.pool(), axes_.results, axes_.count, [&](int64_t i) {
      int32_t sum[1 + kReadSlack / sizeof(int32_t)];
      int64_t total = 0;
      const uint8_t* from = in + axes_.start(i);
      if (axes_.is_simple()) total = q8_kernels().sum(from, is_signed, axes_.count);
      else
        for (int64_t k = 0; k < axes_.count; ++k) total += ops::q8_value(from[axes_.element(k)], is_signed);
      sum[0] = static_cast<int32_t>(total) - without_zero;
      requantize(sum, i, 1);
    });
    return Status::Ok();
  }

 private:
  Attributes attributes_;
  ops::ReducedAxes axes_;
};

}  // namespace

Status make_qreduce_mean(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, QReduceMean>(c, op);
}

}  // namespace octavo
