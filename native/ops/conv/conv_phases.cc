#include "ops/conv/conv_phases.h"

#include <algorithm>

#include "ops/support/op_support.h"

namespace octavo::ops {
namespace {

// Bounds that keep every coordinate far from overflow.
constexpr int64_t kMaxCoordinate = int64_t{1} << 31;

bool sane(int64_t value, int64_t least) { return value >= least && value < kMaxCoordinate; }

}  // namespace

Status ConvGeometry::read(BindContext& c, const Shape& x, const Shape& w, const Shape& y, int64_t group,
                          bool is_transposed) {
  transposed = is_transposed;
  groups = group;
  const int spatial = x.rank - 2;
  if (spatial < 1 || spatial > kMaxSpatial || w.rank != x.rank || y.rank != x.rank)
    return c.error(Code::kShape, "expected tensors of one rank, 3 to 5, got " + dims_text(x) + ", " + dims_text(w) +
                                     ", " + dims_text(y));
  batch = x[0];
  channels = x[x.rank - 1];
  filters = y[y.rank - 1];
  const int64_t w_outer = transposed ? channels : filters, w_inner = transposed ? filters : channels;
  if (groups < 1 || channels % groups != 0 || filters % groups != 0 || y[0] != batch || w[0] != w_outer ||
      w[1] != w_inner / groups)
    return c.error(Code::kShape, "x " + dims_text(x) + ", w " + dims_text(w) + ", y " + dims_text(y) + " and group " +
                                     std::to_string(groups) + " do not fit");
  const std::vector<int64_t> strides = c.integers("strides"), pads = c.integers("pads"),
                             dilations = c.integers("dilations");
  const auto n = static_cast<size_t>(spatial);
  if ((!strides.empty() && strides.size() != n) || (!dilations.empty() && dilations.size() != n) ||
      (!pads.empty() && pads.size() != 2 * n))
    return c.error(Code::kInvalidPlan,
                   "expected strides, dilations and two pads for each of " + std::to_string(spatial) + " axes");
  for (int i = 0; i < spatial; ++i) {
    const int at = kMaxSpatial - spatial + i;
    in[at] = x[1 + i];
    out[at] = y[1 + i];
    kernel[at] = w[2 + i];
    if (!strides.empty()) stride[at] = strides[i];
    if (!dilations.empty()) dilation[at] = dilations[i];
    const int64_t end = pads.empty() ? 0 : pads[n + i];
    if (!pads.empty()) pad[at] = pads[i];
    const bool fits = sane(in[at], 0) && sane(out[at], 0) && sane(kernel[at], 1) && sane(stride[at], 1) &&
                      sane(dilation[at], 1) && pad[at] > -kMaxCoordinate && pad[at] < kMaxCoordinate &&
                      end > -kMaxCoordinate && end < kMaxCoordinate;
    if (!fits) return c.error(Code::kShape, "sizes out of range at spatial axis " + std::to_string(i));
    // Unlike that of a ConvTranspose, the output of a Conv is determined.
    const int64_t extent = dilation[at] * (kernel[at] - 1) + 1, room = in[at] + pad[at] + end - extent;
    if (!transposed && out[at] != (room < 0 ? 0 : room / stride[at] + 1))
      return c.error(Code::kShape, "spatial axis " + std::to_string(i) + ": expected " +
                                       std::to_string(room < 0 ? 0 : room / stride[at] + 1) + " outputs, got " +
                                       std::to_string(out[at]));
  }
  if (kernel[0] > kMaxCoordinate / kernel[1] || kernel[0] * kernel[1] > kMaxCoordinate / kernel[2])
    return c.error(Code::kShape, "a kernel of more than 2^31 taps");
  return Status::Ok();
}

std::vector<ConvPhase> conv_phases(const ConvGeometry& g) {
  std::vector<ConvPhase> phases;
  int64_t counts[kMaxSpatial], tap_base = 0;
  for (int i = 0; i < kMaxSpatial; ++i) counts[i] = g.transposed ? std::min(g.stride[i], g.out[i]) : 1;
  for (int64_t index = 0; index < counts[0] * counts[1] * counts[2]; ++index) {
    const int64_t p[kMaxSpatial] = {index / (counts[1] * counts[2]), index / counts[2] % counts[1], index % counts[2]};
    ConvPhase phase;
    for (int i = 0; i < kMaxSpatial; ++i) {
      phase.start[i] = p[i];
      phase.step[i] = g.transposed ? g.stride[i] : 1;
      phase.in_step[i] = g.transposed ? 1 : g.stride[i];
      phase.count[i] = g.transposed ? (g.out[i] - p[i] + g.stride[i] - 1) / g.stride[i] : g.out[i];
    }
    for (int64_t k = 0; k < g.taps(); ++k) {
      const int64_t at[kMaxSpatial] = {k / (g.kernel[1] * g.kernel[2]), k / g.kernel[2] % g.kernel[1], k % g.kernel[2]};
      ConvTap tap;
      tap.kernel = k;
      bool meets = true;
      for (int i = 0; i < kMaxSpatial && meets; ++i) {
        const int64_t reach = at[i] * g.dilation[i];
        if (g.transposed) {
          meets = (p[i] + g.pad[i] - reach) % g.stride[i] == 0;
          tap.offset[i] = (p[i] + g.pad[i] - reach) / g.stride[i];
        } else {
          tap.offset[i] = reach - g.pad[i];
        }
      }
      if (meets) phase.taps.push_back(tap);
    }
    phase.tap_base = tap_base;
    tap_base += static_cast<int64_t>(phase.taps.size());
    if (phase.pixels() > 0) phases.push_back(std::move(phase));
  }
  return phases;
}

}  // namespace octavo::ops
