// Patches: y[n, o..., c * taps + t] = x[n, o * stride + t * dilation - pad, c], 0 in the padding: the rows that a
// product with the weights [M, C, k...] of a Conv makes its output of.
#include "ops/conv/conv_rows.h"
#include "ops/steps.h"
#include "ops/support/chunks.h"
#include "ops/support/op_support.h"

namespace octavo {
namespace {

using ops::ConvGeometry;
using ops::ConvPhase;
using step::Patches;

struct Attributes {
  std::vector<int64_t> kernel;
  Status load(const LoadContext& c) {
    kernel = c.integers("kernel");
    return Status::Ok();
  }
};

class BoundPatches final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    const Shape &x = c.in(Patches::kX), &y = c.out(0);
    if (x.rank < 3 || x.rank > 2 + ops::kMaxSpatial || static_cast<int>(a.kernel.size()) != x.rank - 2 ||
        y.rank != x.rank)
      return c.error(Code::kInvalidPlan, "expected a kernel size for each spatial axis of x " + ops::dims_text(x) +
                                             ", and y of its rank, got " + ops::dims_text(y));
    // As a convolution with one filter.
    Shape w = x, one = y;
    w.dims[0] = 1;
    w.dims[1] = x[x.rank - 1];
    for (size_t i = 0; i < a.kernel.size(); ++i) w.dims[2 + i] = a.kernel[i];
    one.dims[y.rank - 1] = 1;
    OCTAVO_RETURN_IF_ERROR(g_.read(c, x, w, one, 1, false));
    int64_t width = 0;
    if (__builtin_mul_overflow(g_.channels, g_.taps(), &width) || width != y[y.rank - 1])
      return c.error(Code::kShape, "y " + ops::dims_text(y) + ": expected a last axis of " +
                                       std::to_string(g_.channels) + " * " + std::to_string(g_.taps()));
    phases_ = ops::conv_phases(g_);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    if (phases_.empty()) return Status::Ok();
    const ConvPhase& phase = phases_[0];
    const auto* x = c.in<float>(Patches::kX);
    auto* y = c.out<float>(0);
    const int64_t pixels = phase.pixels(), width = g_.channels * g_.taps();
    ops::for_rows(c.pool(), g_.batch * pixels, width, [&](int64_t row) {
      const int64_t pixel = row % pixels;
      const int64_t j[ops::kMaxSpatial] = {pixel / (phase.count[1] * phase.count[2]),
                                           pixel / phase.count[2] % phase.count[1], pixel % phase.count[2]};
      const float* image = x + row / pixels * g_.in_pixels() * g_.channels;
      float* patch = y + row * width;
      for (const ops::ConvTap& tap : phase.taps) copy(tap_of(phase, tap, j, image), patch + tap.kernel);
    });
    return Status::Ok();
  }

 private:
  // The channels that a tap reads; nullptr: it lies in the padding.
  const float* tap_of(const ConvPhase& phase, const ops::ConvTap& tap, const int64_t* j, const float* image) const {
    constexpr int kInner = ops::kMaxSpatial - 1;
    const int64_t p = j[kInner] * phase.in_step[kInner] + tap.offset[kInner];
    if (p < 0 || p >= g_.in[kInner]) return nullptr;
    const float* line = ops::tap_row(g_, phase, tap, j, image);
    return line == nullptr ? nullptr : line + p * g_.channels;
  }
  void copy(const float* from, float* to) const {
    const int64_t step = g_.taps();
    for (int64_t i = 0; i < g_.channels; ++i) to[i * step] = from == nullptr ? 0.0f : from[i];
  }

  ConvGeometry g_;
  std::vector<ConvPhase> phases_;
};

}  // namespace

Status make_patches(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, BoundPatches>(c, op);
}

}  // namespace octavo
