#include "ops/observe/scan.h"

#include <limits>

namespace octavo::observe {
namespace {

constexpr int kLanes = 16;

struct Lanes {
  float min[kLanes], max[kLanes];
  double sum[kLanes], sum_of_squares[kLanes];

  Lanes() {
    for (int i = 0; i < kLanes; ++i) {
      min[i] = std::numeric_limits<float>::infinity();
      max[i] = -min[i];
      sum[i] = sum_of_squares[i] = 0;
    }
  }
  void add(int i, float v) {
    const double wide = v;
    min[i] = v < min[i] ? v : min[i];
    max[i] = v > max[i] ? v : max[i];
    sum[i] += wide;
    sum_of_squares[i] += wide * wide;
  }
};

inline uint32_t magnitude_bits(float v) {
  uint32_t bits;
  std::memcpy(&bits, &v, sizeof bits);
  return bits & 0x7fffffffu;
}

bool all_finite(const float* x, int64_t n) {
  uint32_t top = 0;
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t bits = magnitude_bits(x[i]);
    top = bits > top ? bits : top;
  }
  return top < 0x7f800000u;
}

}  // namespace

Scan scan_chunk(const float* x, int64_t n) {
  Lanes lanes;
  Scan seen;
  if (all_finite(x, n)) {
    const int64_t whole = n / kLanes * kLanes;
    for (int64_t at = 0; at < whole; at += kLanes)
      for (int i = 0; i < kLanes; ++i) lanes.add(i, x[at + i]);
    for (int64_t at = whole; at < n; ++at) lanes.add(static_cast<int>(at - whole), x[at]);
    seen.finite = n;
  } else {
    for (int64_t at = 0; at < n; ++at) {
      if (!is_finite(x[at])) continue;
      lanes.add(static_cast<int>(at % kLanes), x[at]);
      ++seen.finite;
    }
    seen.nonfinite = n - seen.finite;
  }
  if (seen.finite == 0) return seen;
  float min = lanes.min[0], max = lanes.max[0];
  for (int i = 0; i < kLanes; ++i) {
    min = lanes.min[i] < min ? lanes.min[i] : min;
    max = lanes.max[i] > max ? lanes.max[i] : max;
    seen.sum += lanes.sum[i];
    seen.sum_of_squares += lanes.sum_of_squares[i];
  }
  // Which of two zeros comes first depends on the lanes: both are +0 here.
  seen.min = static_cast<double>(min) + 0.0;
  seen.max = static_cast<double>(max) + 0.0;
  return seen;
}

Scan scan(ThreadPool& pool, const float* x, int64_t n, void* scratch) {
  Scan* chunks = static_cast<Scan*>(scratch);
  ops::for_chunks(
      pool, n, [&](int64_t begin, int64_t end) { chunks[begin / ops::kChunk] = scan_chunk(x + begin, end - begin); });
  Scan all;
  for (int64_t i = 0; i * ops::kChunk < n; ++i) {
    const Scan& chunk = chunks[i];
    if (chunk.finite > 0) {
      all.min = all.finite == 0 || chunk.min < all.min ? chunk.min : all.min;
      all.max = all.finite == 0 || chunk.max > all.max ? chunk.max : all.max;
    }
    all.finite += chunk.finite;
    all.nonfinite += chunk.nonfinite;
    all.sum += chunk.sum;
    all.sum_of_squares += chunk.sum_of_squares;
  }
  return all;
}

}  // namespace octavo::observe
