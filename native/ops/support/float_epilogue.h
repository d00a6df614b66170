// The activation that float Conv and MatMul apply on the way out: fn none, relu or clip with lo and hi.
#pragma once

#include <limits>

#include "engine/op.h"

namespace octavo::ops {

struct FloatEpilogue {
  float lo = -std::numeric_limits<float>::infinity();
  float hi = std::numeric_limits<float>::infinity();

  Status load(const LoadContext& c) {
    const std::string fn = c.text("fn", "none");
    if (fn == "relu") {
      lo = 0.0f;
    } else if (fn == "clip") {
      lo = c.number("lo", lo);
      hi = c.number("hi", hi);
    } else if (fn != "none") {
      return c.error(Code::kUnsupported, "expected fn none, relu or clip, got " + fn);
    }
    return Status::Ok();
  }
  float operator()(float x) const {
    const float y = x < lo ? lo : x;
    return y > hi ? hi : y;
  }
};

}  // namespace octavo::ops
