// What statistics steps share: one float32 input and a state of float64 words (records.h), to which a run adds.
// Elements that are infinite or NaN are counted and otherwise left out.
#pragma once

#include <cstring>
#include <limits>

#include "ops/observe/records.h"
#include "ops/support/axis_view.h"

namespace octavo::observe {

// Largest number of channels, bins and kept vectors: products of two of them do not overflow.
constexpr int64_t kMostSizes = 1 << 24;

inline Status check_state(BindContext& c, int64_t words) {
  if (c.out(0).elements() == words) return Status::Ok();
  return c.error(Code::kShape,
                 "expected a state of " + std::to_string(words) + " numbers, got " + ops::dims_text(c.out(0)));
}

// The input as [outer, channels, inner].
struct ChannelAttributes {
  int64_t axis = -1;
  Status load(const LoadContext& c) {
    axis = c.integer("channel_axis", -1);
    return Status::Ok();
  }
  Status view(BindContext& c, ops::AxisView* view) const {
    OCTAVO_RETURN_IF_ERROR(view->plan(c, c.in(0), axis));
    if (view->n > kMostSizes) return c.error(Code::kLimit, std::to_string(view->n) + " channels are too many");
    return Status::Ok();
  }
};

inline bool is_finite(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return (bits & 0x7f800000u) != 0x7f800000u;
}

}  // namespace octavo::observe
