#include "ops/conv/conv_weights.h"

#include <algorithm>

#include "ops/move/transpose_tile.h"

namespace octavo::ops {

int64_t packed_size(const ConvGeometry& g, int64_t nr) {
  return is_depthwise(g) ? g.taps() * g.filters : g.taps() * g.group_channels() * padded_filters(g, nr) * g.groups;
}

namespace {

// Filters of a block are rows of the model's matrix; packed, they are columns. Values that stay in the first cache in
// between.
constexpr int64_t kStaged = 4096;

// A block of a Conv: w[filter][channel][tap] to packed[tap][channel][nr].
void pack_block(const ConvPhase& phase, int64_t channels, int64_t kernel_taps, int64_t filters, int64_t nr,
                const float* w, float* packed) {
  float staged[kStaged];
  const int64_t row = channels * kernel_taps, piece = std::max<int64_t>(1, kStaged / (kernel_taps * nr));
  const auto transpose = [&](int64_t first, int64_t columns, float* to) {
    transpose_tiles<uint32_t>(reinterpret_cast<const uint8_t*>(w + first), row, reinterpret_cast<uint8_t*>(to), nr,
                              filters, columns);
    for (int64_t i = 0; filters < nr && i < columns; ++i) std::fill(to + i * nr + filters, to + (i + 1) * nr, 0.0f);
  };
  if (kernel_taps == 1) return transpose(0, channels, packed);
  for (int64_t k0 = 0; k0 < channels; k0 += piece) {
    const int64_t count = std::min(piece, channels - k0);
    transpose(k0 * kernel_taps, count * kernel_taps, staged);
    for (size_t t = 0; t < phase.taps.size(); ++t) {
      const float* from = staged + phase.taps[t].kernel * nr;
      float* to = packed + (static_cast<int64_t>(t) * channels + k0) * nr;
      for (int64_t k = 0; k < count; ++k, from += kernel_taps * nr, to += nr) std::copy(from, from + nr, to);
    }
  }
}

// A block of any convolution.
void pack_block_by_steps(const ConvPhase& phase, int64_t channels, int64_t k_step, int64_t m_step, int64_t filters,
                         int64_t nr, const float* w, float* packed) {
  for (const ConvTap& tap : phase.taps)
    for (int64_t k = 0; k < channels; ++k, packed += nr) {
      const float* from = w + k * k_step + tap.kernel;
      for (int64_t m = 0; m < filters; ++m) packed[m] = from[m * m_step];
      std::fill(packed + filters, packed + nr, 0.0f);
    }
}

}  // namespace

int64_t packing_tasks(const ConvGeometry& g, const std::vector<ConvPhase>& phases, int64_t nr) {
  return static_cast<int64_t>(phases.size()) * (is_depthwise(g) ? 1 : g.groups * (padded_filters(g, nr) / nr));
}

void pack_weights(const ConvGeometry& g, const std::vector<ConvPhase>& phases, int64_t nr, const float* w, int64_t task,
                  float* packed) {
  const int64_t cg = g.group_channels(), mg = g.group_filters(), kernel_taps = g.taps(), padded = padded_filters(g, nr);
  const int64_t tasks_of_phase = packing_tasks(g, phases, nr) / static_cast<int64_t>(phases.size());
  const ConvPhase& phase = phases[static_cast<size_t>(task / tasks_of_phase)];
  const int64_t taps = static_cast<int64_t>(phase.taps.size()), block = task % tasks_of_phase;
  if (is_depthwise(g)) {
    for (int64_t t = 0; t < taps; ++t)
      for (int64_t m = 0; m < g.filters; ++m)
        packed[(phase.tap_base + t) * g.filters + m] = w[m * kernel_taps + phase.taps[static_cast<size_t>(t)].kernel];
    return;
  }
  // From a channel and from a filter to the next.
  const int64_t k_step = (g.transposed ? mg : 1) * kernel_taps, m_step = (g.transposed ? 1 : cg) * kernel_taps;
  const int64_t group = block / (padded / nr), first = block % (padded / nr) * nr, filters = std::min(nr, mg - first);
  const float* from = w + group * cg * mg * kernel_taps + first * m_step;
  float* to = packed + phase.tap_base * cg * padded * g.groups + block * taps * cg * nr;
  if (g.transposed || kernel_taps * nr > kStaged) pack_block_by_steps(phase, cg, k_step, m_step, filters, nr, from, to);
  else pack_block(phase, cg, kernel_taps, filters, nr, from, to);
}

}  // namespace octavo::ops
