// ObserveHistogram: moments, and counts of bins around zero whose width is the smallest power of two, from 2^-40 on,
// that covers what was seen. Counts are exact, so neither the order of samples nor the number of threads shows.
#include <cmath>

#include "ops/observe/scan.h"

namespace octavo {
namespace {

constexpr double kFirstWidth = 1.0 / (1ULL << 40);
constexpr double kLastWidth = 0x1p125;  // sixteen bins of it hold every float
// Elements whose bins are found at once.
constexpr int kBlock = 64;
// Neighbours are often equal (zeros after a Relu): they go to different tables, so that none waits for the other.
constexpr int kTables = 4;
// Elements after which the tables of the threads, 32 bits each, are added to the state.
constexpr int64_t kRound = int64_t{1} << 31;

// The histogram doubles its width: bins are merged in pairs, counted from zero outwards.
void widen(double* bins, int64_t half) {
  for (int64_t i = 0; i < half; ++i) {  // bin half + i: [i, i + 1) * width
    const int64_t a = 2 * i, b = 2 * i + 1;
    bins[half + i] = (a < half ? bins[half + a] : 0) + (b < half ? bins[half + b] : 0);
  }
  for (int64_t i = 0; i < half; ++i) {  // bin half - 1 - i: [-i - 1, -i) * width
    const int64_t a = 2 * i, b = 2 * i + 1;
    bins[half - 1 - i] = (a < half ? bins[half - 1 - a] : 0) + (b < half ? bins[half - 1 - b] : 0);
  }
}

struct Bins {
  float width, inverse;  // powers of two
  int32_t half;

  // Truncation is floor but for negative numbers between two edges; those below the least float that the product can be
  // count as negative too.
  int32_t of(float v) const {
    const int32_t whole = static_cast<int32_t>(v * inverse);
    return half + whole - (v < static_cast<float>(whole) * width ? 1 : 0);
  }
};

void count(const float* x, int64_t n, const Bins& bins, int64_t stride, uint32_t* tables) {
  int32_t at[kBlock];
  int64_t i = 0;
  for (; i + kBlock <= n; i += kBlock) {
    bool finite = true;
    for (int k = 0; k < kBlock; ++k) finite &= observe::is_finite(x[i + k]);
    if (!finite) {
      for (int k = 0; k < kBlock; ++k)
        if (observe::is_finite(x[i + k])) ++tables[bins.of(x[i + k])];
      continue;
    }
    for (int k = 0; k < kBlock; ++k) at[k] = bins.of(x[i + k]);
    for (int k = 0; k < kBlock; k += kTables)
      for (int t = 0; t < kTables; ++t) ++tables[t * stride + at[k + t]];
  }
  for (; i < n; ++i)
    if (observe::is_finite(x[i])) ++tables[bins.of(x[i])];
}

struct Attributes {
  int64_t bins = 0;
  Status load(const LoadContext& c) {
    bins = c.integer("bins", 0);
    // From 16 on, no width of a float range is too large for a float.
    if (bins < 16 || bins % 2 != 0 || bins > observe::kMostSizes)
      return c.error(Code::kInvalidPlan, "expected an even number of bins, 16 or more, got " + std::to_string(bins));
    return Status::Ok();
  }
};

class Histogram final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    bins_ = a.bins;
    elements_ = c.in(0).elements();
    threads_ = c.threads();
    c.scratch(observe::scan_bytes(elements_), table_bytes());
    return observe::check_state(c, HistogramRecord::words(bins_));
  }

  Status run(RunContext& c) override {
    const float* x = c.in<float>(0);
    const HistogramRecord record(c.out<double>(0));
    const observe::Scan seen = observe::scan(c.pool(), x, elements_, c.shared_scratch());
    observe::add_moments(record, seen);
    if (seen.finite == 0) return Status::Ok();
    const Bins bins = fit(record, seen);
    for (int64_t begin = 0; begin < elements_; begin += kRound) {
      const int64_t n = elements_ - begin < kRound ? elements_ - begin : kRound;
      for (int t = 0; t < threads_; ++t) std::memset(c.thread_scratch(t), 0, table_bytes());
      c.pool().for_each((n + ops::kChunk - 1) / ops::kChunk, [&](int64_t task, int thread) {
        const int64_t at = task * ops::kChunk;
        count(x + begin + at, n - at < ops::kChunk ? n - at : ops::kChunk, bins, bins_,
              static_cast<uint32_t*>(c.thread_scratch(thread)));
      });
      for (int t = 0; t < threads_; ++t) add_tables(static_cast<const uint32_t*>(c.thread_scratch(t)), record.counts);
    }
    return Status::Ok();
  }

 private:
  size_t table_bytes() const { return static_cast<size_t>(bins_) * kTables * sizeof(uint32_t); }

  // Bins that cover the extremes of this run and of those before it. A state that somebody wrote may hold anything:
  // what this run needs is covered in any case.
  Bins fit(const HistogramRecord& record, const observe::Scan& seen) const {
    const int64_t half = bins_ / 2;
    const double reach = static_cast<double>(half);
    const double high = *record.max > seen.max ? *record.max : seen.max;
    const double low = *record.min < seen.min ? *record.min : seen.min;
    double width = *record.width;
    int exponent = 0;
    if (!(width >= kFirstWidth && width <= kLastWidth) || std::frexp(width, &exponent) != 0.5) width = kFirstWidth;
    while (width < kLastWidth && (high >= reach * width || low < -reach * width)) {
      width *= 2;
      widen(record.counts, half);
    }
    *record.width = width;
    return {static_cast<float>(width), static_cast<float>(1 / width), static_cast<int32_t>(half)};
  }

  void add_tables(const uint32_t* tables, double* counts) const {
    for (int t = 0; t < kTables; ++t)
      for (int64_t i = 0; i < bins_; ++i) counts[i] += tables[t * bins_ + i];
  }

  int64_t bins_ = 0, elements_ = 0;
  int threads_ = 1;
};

}  // namespace

Status make_observe_histogram(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, Histogram>(c, op);
}

}  // namespace octavo
