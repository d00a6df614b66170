#include "ops/conv_weights.h"

#include <algorithm>

namespace octavo::ops {

int64_t packed_size(const ConvGeometry& g, int64_t nr) {
  return is_depthwise(g) ? g.taps() * g.filters : g.taps() * g.group_channels() * padded_filters(g, nr) * g.groups;
}

void pack_weights(const ConvGeometry& g, const std::vector<ConvPhase>& phases, int64_t nr, const float* w, float* packed) {
  const int64_t cg = g.group_channels(), mg = g.group_filters(), kernel_taps = g.taps(), padded = padded_filters(g, nr);
  // From a channel and from a filter to the next.
  const int64_t k_step = (g.transposed ? mg : 1) * kernel_taps, m_step = (g.transposed ? 1 : cg) * kernel_taps;
  // Channels at a time: what is written of one tap for a block of filters stays in the first cache.
  constexpr int64_t kPiece = 128;
  for (const ConvPhase& phase : phases) {
    const int64_t taps = static_cast<int64_t>(phase.taps.size());
    if (is_depthwise(g)) {
      for (int64_t t = 0; t < taps; ++t)
        for (int64_t m = 0; m < g.filters; ++m)
          packed[(phase.tap_base + t) * g.filters + m] = w[m * kernel_taps + phase.taps[static_cast<size_t>(t)].kernel];
      continue;
    }
    for (int64_t block = 0; block < g.groups * (padded / nr); ++block) {
      const int64_t group = block / (padded / nr), first = block % (padded / nr) * nr, filters = std::min(nr, mg - first);
      const float* from = w + group * cg * mg * kernel_taps + first * m_step;
      float* to = packed + phase.tap_base * cg * padded * g.groups + block * taps * cg * nr;
      for (int64_t k0 = 0; k0 < cg; k0 += kPiece) {
        const int64_t k1 = std::min(cg, k0 + kPiece);
        for (int64_t t = 0; t < taps; ++t)
          for (int64_t m = 0; m < nr; ++m) {
            float* out = to + t * cg * nr + m;
            const float* in = from + m * m_step + phase.taps[static_cast<size_t>(t)].kernel;
            for (int64_t k = k0; k < k1; ++k) out[k * nr] = m < filters ? in[k * k_step] : 0.0f;
          }
      }
    }
  }
}

}  // namespace octavo::ops
