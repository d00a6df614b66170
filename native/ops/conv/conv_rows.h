// Where the output pixels of a convolution read: the pointers that the kernels of float Conv take.
#pragma once

#include <algorithm>

#include "ops/conv/conv_phases.h"

namespace octavo::ops {

// Pixels [row, row + rows) of a phase, row by row of the innermost axis: body(first, count, j) with the index within
// the range, the number of pixels side by side and the coordinates of the first.
template <class Body>
void for_each_run(const ConvPhase& phase, int64_t row, int64_t rows, Body&& body) {
  int64_t j[kMaxSpatial] = {row / (phase.count[1] * phase.count[2]), row / phase.count[2] % phase.count[1],
                            row % phase.count[2]};
  for (int64_t i = 0; i < rows;) {
    const int64_t n = std::min(rows - i, phase.count[2] - j[2]);
    body(i, n, static_cast<const int64_t*>(j));
    i += n;
    j[2] = 0;
    if (++j[1] == phase.count[1]) {
      j[1] = 0;
      ++j[0];
    }
  }
}

// The input row that a tap reads for output pixels j: its first pixel; nullptr: in the padding.
inline const float* tap_row(const ConvGeometry& g, const ConvPhase& phase, const ConvTap& tap, const int64_t* j,
                            const float* image) {
  int64_t at = 0;
  for (int d = 0; d < kMaxSpatial - 1; ++d) {
    const int64_t p = j[d] * phase.in_step[d] + tap.offset[d];
    if (p < 0 || p >= g.in[d]) return nullptr;
    at = at * g.in[d] + p;
  }
  return image + at * g.in[kMaxSpatial - 1] * g.channels;
}

// The inner axis: pixels [begin, end) of it whose taps all lie inside.
struct ConvInterior {
  int64_t begin = 0, end = 0;
};
ConvInterior conv_interior(const ConvGeometry& g, const ConvPhase& phase);

// a[t * rows + i]: channels that tap t reads for pixel row + i; zeros in the padding.
void point_taps(const ConvGeometry& g, const ConvPhase& phase, const float* image, const float* zeros, int64_t row,
                int64_t rows, const float** a);

// Taps of the inner axis as one strip of kernel[2] * channels floats, for a Conv of one group without dilation there:
// a[t * rows + i], t over the kernel's outer axes. Strips that overhang the padding are copied to `edges`, [rows][taps
// of the kernel][channels].
void point_strips(const ConvGeometry& g, const ConvPhase& phase, const float* image, const float* zeros, int64_t row,
                  int64_t rows, const float** a, float* edges);

}  // namespace octavo::ops
