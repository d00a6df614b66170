// Extremes and power sums of a tensor, on all threads. The order of the sums is fixed: chunks of kChunk elements, in
// each of which lane i of 16 adds every 16th element from the i-th; then the lanes, then the chunks, each from the
// first on.
#pragma once

#include "ops/observe/frame.h"
#include "ops/support/chunks.h"

namespace octavo::observe {

struct Scan {
  int64_t finite = 0, nonfinite = 0;
  double min = 0, max = 0;  // of the finite ones; 0 where there are none
  double sum = 0, sum_of_squares = 0;
};

// Of n elements, n <= kChunk.
Scan scan_chunk(const float* x, int64_t n);

// Shared scratch for a tensor of n elements.
inline size_t scan_bytes(int64_t n) { return static_cast<size_t>((n + ops::kChunk - 1) / ops::kChunk) * sizeof(Scan); }

Scan scan(ThreadPool& pool, const float* x, int64_t n, void* scratch);

// What every record starts with.
template <class Record>
void add_seen(const Record& record, const Scan& seen) {
  *record.count += static_cast<double>(seen.finite);
  *record.nonfinite += static_cast<double>(seen.nonfinite);
}

// count, nonfinite, min, max.
template <class Record>
void add_extremes(const Record& record, const Scan& seen) {
  if (seen.finite > 0) {
    const bool first = *record.count == 0;
    if (first || seen.min < *record.min) *record.min = seen.min;
    if (first || seen.max > *record.max) *record.max = seen.max;
  }
  add_seen(record, seen);
}

template <class Record>
void add_moments(const Record& record, const Scan& seen) {
  add_extremes(record, seen);
  *record.sum += seen.sum;
  *record.sum_of_squares += seen.sum_of_squares;
}

}  // namespace octavo::observe
