// QReduceExtreme: the largest or least of quantized activations over axes. Order survives quantization, so bytes are
// compared, and one table brings the result to the output's scale.
#include <algorithm>

#include "kernels/q8/q8.h"
#include "ops/math/function_chain.h"
#include "ops/math/reduced_axes.h"
#include "ops/math/quantized_reduction.h"
#include "ops/steps.h"
#include "ops/support/chunks.h"

namespace octavo {
namespace {

using Step = step::QReduceExtreme;

struct Attributes : ops::QuantizedReduction<Step> {
  bool greatest = true;
  Status load(const LoadContext& c) {
    greatest = c.text("fn", "max") == "max";
    return QuantizedReduction::load(c);
  }
};

constexpr int64_t kColumns = 256;

class QReduceExtreme final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = a;
    OCTAVO_RETURN_IF_ERROR(axes_.plan(c, a.axes));
    OCTAVO_RETURN_IF_ERROR(a.bind(c));
    if (axes_.count == 0 && axes_.results > 0) return c.error(Code::kShape, "an extreme of no elements");
    // Bytes that are flipped so, and back, grow as the numbers do, or against them: the largest is wanted always.
    order_ = static_cast<uint8_t>((a.x.is_signed() ? 0x80 : 0) ^ (a.greatest ? 0 : 0xFF));
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    ops::QuantParams x, y;
    OCTAVO_RETURN_IF_ERROR(attributes_.x.read(c, &x));
    OCTAVO_RETURN_IF_ERROR(attributes_.y.read(c, &y));
    if (axes_.results == 0) return Status::Ok();
    uint8_t table[256];
    ops::fill_table(ops::FunctionChain(), x, attributes_.x.is_signed(), y, attributes_.clamp, table);
    const uint8_t* in = c.in<uint8_t>(Step::kX);
    uint8_t* out = c.out<uint8_t>(0);
    const int64_t inner = axes_.inner();
    if (axes_.is_simple() && inner > 1) columns(c.pool(), in, out, table);
    else
      ops::for_rows(c.pool(), axes_.results, axes_.count, [&](int64_t i) {
        const uint8_t* from = in + axes_.start(i);
        uint8_t best = 0;
        for (int64_t k = 0; k < axes_.count; ++k)
          best = std::max(best, static_cast<uint8_t>(from[axes_.is_simple() ? k : axes_.element(k)] ^ order_));
        out[i] = table[best ^ order_];
      });
    return Status::Ok();
  }

 private:
  // Channels last: whole columns at once.
  void columns(ThreadPool& pool, const uint8_t* in, uint8_t* out, const uint8_t* table) const {
    const int64_t inner = axes_.inner(), tiles = (inner + kColumns - 1) / kColumns;
    pool.for_each(axes_.results / inner * tiles, [&](int64_t task, int) {
      const int64_t begin = task % tiles * kColumns, n = std::min(kColumns, inner - begin);
      const int64_t outer = task / tiles;
      const uint8_t* from = in + outer * axes_.count * inner + begin;
      const uint8_t order = order_;
      uint8_t best[kColumns] = {};
      for (int64_t k = 0; k < axes_.count; ++k, from += inner)
        for (int64_t i = 0; i < n; ++i) best[i] = std::max(best[i], static_cast<uint8_t>(from[i] ^ order));
      for (int64_t i = 0; i < n; ++i) out[outer * inner + begin + i] = table[best[i] ^ order];
    });
  }

  Attributes attributes_;
  ops::ReducedAxes axes_;
  uint8_t order_ = 0;
};

}  // namespace

Status make_qreduce_extreme(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, QReduceExtreme>(c, op);
}

}  // namespace octavo
