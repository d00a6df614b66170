#include "ops/conv_weights.h"

namespace octavo::ops {

int64_t packed_size(const ConvGeometry& g, int64_t nr) {
  return is_depthwise(g) ? g.taps() * g.filters : g.taps() * g.group_channels() * padded_filters(g, nr) * g.groups;
}

void pack_weights(const ConvGeometry& g, const std::vector<ConvPhase>& phases, int64_t nr, const float* w, float* packed) {
  const int64_t cg = g.group_channels(), mg = g.group_filters(), kernel_taps = g.taps(), padded = padded_filters(g, nr);
  for (const ConvPhase& phase : phases) {
    const int64_t taps = static_cast<int64_t>(phase.taps.size());
    for (int64_t t = 0; t < taps; ++t) {
      const int64_t tap = phase.taps[static_cast<size_t>(t)].kernel;
      if (is_depthwise(g)) {
        for (int64_t m = 0; m < g.filters; ++m) packed[(phase.tap_base + t) * g.filters + m] = w[m * kernel_taps + tap];
        continue;
      }
      for (int64_t group = 0; group < g.groups; ++group) {
        float* to = packed + phase.tap_base * cg * padded * g.groups + group * taps * cg * padded;
        for (int64_t m = 0; m < padded; ++m) {
          for (int64_t k = 0; k < cg; ++k) {
            const int64_t from = g.transposed ? ((group * cg + k) * mg + m) * kernel_taps + tap : ((group * mg + m) * cg + k) * kernel_taps + tap;
            to[((m / nr * taps + t) * cg + k) * nr + m % nr] = m < mg ? w[from] : 0.0f;
          }
        }
      }
    }
  }
}

}  // namespace octavo::ops
