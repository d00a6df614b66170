// Packed weights of float convolutions.
#pragma once

#include "ops/conv/conv_phases.h"

namespace octavo::ops {

inline bool is_depthwise(const ConvGeometry& g) {
  return g.group_channels() == 1 && g.group_filters() == 1 && g.groups > 1;
}

// Filters of a group, rounded up to whole panels of nr.
inline int64_t padded_filters(const ConvGeometry& g, int64_t nr) { return (g.group_filters() + nr - 1) / nr * nr; }

// Floats.
int64_t packed_size(const ConvGeometry& g, int64_t nr);

// Packed: depthwise [tap][channel]; else per phase and group [block of nr filters][tap][channel][nr]. In so many tasks,
// each of which writes what is its own.
int64_t packing_tasks(const ConvGeometry& g, const std::vector<ConvPhase>& phases, int64_t nr);
void pack_weights(const ConvGeometry& g, const std::vector<ConvPhase>& phases, int64_t nr, const float* w, int64_t task,
                  float* packed);

}  // namespace octavo::ops
