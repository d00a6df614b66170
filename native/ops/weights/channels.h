// Weights as the quantizer works on them: one float32 constant, whose channels have scales of their own.
#pragma once

#include "ops/support/axis_view.h"

namespace octavo::weights {

// Without an axis the whole tensor is one channel.
struct ChannelAttributes {
  int64_t axis = -1;

  Status load(const LoadContext& c) {
    axis = c.integer("channel_axis", -1);
    return Status::Ok();
  }
  Status view(BindContext& c, ops::AxisView* view) const {
    if (axis >= 0) return view->plan(c, c.in(0), axis);
    view->inner = c.in(0).elements();
    return Status::Ok();
  }
};

// A group of neighbouring channels, one task: where channels are last, a line of the cache holds 16.
constexpr int64_t kGroup = 16;

}  // namespace octavo::weights
