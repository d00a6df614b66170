// What reductions of quantized activations share: axes, parameters of both sides and bounds.
#pragma once

#include <vector>

#include "ops/quantize/quantization.h"

namespace octavo::ops {

// Step: the positions of its operands (ops/steps.h).
template <class Step>
struct QuantizedReduction {
  std::vector<int64_t> axes;
  Quantization x, y;
  Clamp clamp;

  Status load(const LoadContext& c) {
    axes = c.integers("axes");
    OCTAVO_RETURN_IF_ERROR(x.load(c, Step::kXScale, Step::kXZp, c.input(Step::kX)->dtype));
    OCTAVO_RETURN_IF_ERROR(y.load(c, Step::kYScale, Step::kYZp, c.output(0).dtype));
    return clamp.load(c, c.output(0).dtype);
  }
  Status bind(BindContext& c) const {
    OCTAVO_RETURN_IF_ERROR(x.bind(c));
    return y.bind(c);
  }
};

}  // namespace octavo::ops
