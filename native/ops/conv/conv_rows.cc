#include "ops/conv/conv_rows.h"

namespace octavo::ops {

ConvInterior conv_interior(const ConvGeometry& g, const ConvPhase& phase) {
  constexpr int kInner = kMaxSpatial - 1;
  int64_t least = 0, most = 0;
  for (const ConvTap& tap : phase.taps) {
    least = std::min(least, tap.offset[kInner]);
    most = std::max(most, tap.offset[kInner]);
  }
  const int64_t step = phase.in_step[kInner], room = g.in[kInner] - 1 - most;
  ConvInterior interior;
  interior.begin = (-least + step - 1) / step;
  interior.end = room < 0 ? 0 : std::min(phase.count[kInner], room / step + 1);
  return interior;
}

void point_taps(const ConvGeometry& g, const ConvPhase& phase, const float* image, const float* zeros, int64_t row,
                int64_t rows, const float** a) {
  const int64_t width = g.in[kMaxSpatial - 1], step = phase.in_step[kMaxSpatial - 1], channels = g.channels;
  for_each_run(phase, row, rows, [&](int64_t first, int64_t n, const int64_t* j) {
    const float** to = a + first;
    for (const ConvTap& tap : phase.taps) {
      const float* line = tap_row(g, phase, tap, j, image);
      const int64_t p = j[kMaxSpatial - 1] * step + tap.offset[kMaxSpatial - 1];
      if (line == nullptr) {
        for (int64_t i = 0; i < n; ++i) to[i] = zeros;
      } else if (p >= 0 && p + (n - 1) * step < width) {
        const float* from = line + p * channels;
        for (int64_t i = 0; i < n; ++i, from += step * channels) to[i] = from;
      } else {
        for (int64_t i = 0; i < n; ++i) {
          const int64_t at = p + i * step;
          to[i] = at >= 0 && at < width ? line + at * channels : zeros;
        }
      }
      to += rows;
    }
  });
}

void point_strips(const ConvGeometry& g, const ConvPhase& phase, const float* image, const float* zeros, int64_t row,
                  int64_t rows, const float** a, float* edges) {
  const int64_t width = g.in[kMaxSpatial - 1], step = phase.in_step[kMaxSpatial - 1], channels = g.channels,
                kernel = g.kernel[kMaxSpatial - 1];
  const int64_t strips = g.kernel[0] * g.kernel[1];
  const auto edge = [&](const float* line, int64_t p, int64_t i, int64_t t) -> const float* {
    float* strip = edges + (i * strips + t) * kernel * channels;
    const int64_t from = std::clamp<int64_t>(-p, 0, kernel) * channels,
                  to = std::clamp<int64_t>(width - p, 0, kernel) * channels, size = kernel * channels;
    for (int64_t k = 0; k < from; ++k) strip[k] = 0.0f;
    for (int64_t k = from; k < to; ++k) strip[k] = line[p * channels + k];
    for (int64_t k = to; k < size; ++k) strip[k] = 0.0f;
    return strip;
  };
  for_each_run(phase, row, rows, [&](int64_t first, int64_t n, const int64_t* j) {
    for (int64_t t = 0; t < strips; ++t) {
      const ConvTap& tap = phase.taps[static_cast<size_t>(t * kernel)];
      const float* line = tap_row(g, phase, tap, j, image);
      const float** to = a + t * rows + first;
      const int64_t p = j[kMaxSpatial - 1] * step + tap.offset[kMaxSpatial - 1];
      for (int64_t i = 0; line == nullptr && i < n; ++i) to[i] = zeros;
      if (line == nullptr) continue;
      const float* from = line + p * channels;
      for (int64_t i = 0; i < n; ++i, from += step * channels) to[i] = from;
      for (int64_t i = 0; i < n && p + i * step < 0; ++i) to[i] = edge(line, p + i * step, first + i, t);
      for (int64_t i = n - 1; i >= 0 && p + i * step + kernel > width; --i)
        to[i] = edge(line, p + i * step, first + i, t);
    }
  });
}

}  // namespace octavo::ops
