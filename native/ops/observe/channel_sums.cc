// ObserveChannelSums: the sum of every channel in float64, in the order of the elements. Channels are shared out among
// the threads, so no sum depends on their number.
#include "ops/observe/frame.h"

namespace octavo {
namespace {

// Channels of one task: a line of the cache, where channels are last.
constexpr int64_t kGroup = 16;

struct Attributes : observe::ChannelAttributes {
  bool per_run = false;
  Status load(const LoadContext& c) {
    per_run = c.integer("per_run", 0) != 0;
    return ChannelAttributes::load(c);
  }
};

class ChannelSums final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    per_run_ = a.per_run;
    OCTAVO_RETURN_IF_ERROR(a.view(c, &view_));
    groups_ = (view_.n + kGroup - 1) / kGroup;
    c.scratch(static_cast<size_t>(groups_) * sizeof(int64_t), 0);
    return observe::check_state(c, ChannelSumsRecord::words(view_.n));
  }

  Status run(RunContext& c) override {
    const float* x = c.in<float>(0);
    double* state = c.out<double>(0);
    const ChannelSumsRecord record(state);
    if (per_run_) std::memset(state, 0, static_cast<size_t>(ChannelSumsRecord::words(view_.n)) * sizeof(double));
    int64_t* nonfinite = static_cast<int64_t*>(c.shared_scratch());
    c.pool().for_each(groups_, [&](int64_t group, int) {
      const int64_t first = group * kGroup;
      const int64_t n = view_.n - first < kGroup ? view_.n - first : kGroup;
      nonfinite[group] = view_.inner == 1 && n == kGroup ? add_lines(x + first, record.sums + first)
                                                         : add_channels(x, first, n, record.sums);
    });
    int64_t skipped = 0;
    for (int64_t group = 0; group < groups_; ++group) skipped += nonfinite[group];
    *record.count += static_cast<double>(view_.outer * view_.n * view_.inner - skipped);
    *record.nonfinite += static_cast<double>(skipped);
    return Status::Ok();
  }

 private:
  // kGroup channels that lie side by side. Returns how many elements were not finite.
  int64_t add_lines(const float* x, double* sums) const {
    double sum[kGroup];
    int64_t skipped = 0;
    for (int64_t i = 0; i < kGroup; ++i) sum[i] = sums[i];
    for (int64_t outer = 0; outer < view_.outer; ++outer, x += view_.n) {
      bool finite = true;
      for (int64_t i = 0; i < kGroup; ++i) finite &= observe::is_finite(x[i]);
      if (finite) {
        for (int64_t i = 0; i < kGroup; ++i) sum[i] += static_cast<double>(x[i]);
        continue;
      }
      for (int64_t i = 0; i < kGroup; ++i) {
        if (observe::is_finite(x[i])) sum[i] += static_cast<double>(x[i]);
        else ++skipped;
      }
    }
    for (int64_t i = 0; i < kGroup; ++i) sums[i] = sum[i];
    return skipped;
  }

  int64_t add_channels(const float* x, int64_t first, int64_t n, double* sums) const {
    int64_t skipped = 0;
    for (int64_t outer = 0; outer < view_.outer; ++outer)
      for (int64_t channel = first; channel < first + n; ++channel) {
        const float* line = x + (outer * view_.n + channel) * view_.inner;
        double sum = sums[channel];
        for (int64_t i = 0; i < view_.inner; ++i) {
          if (observe::is_finite(line[i])) sum += static_cast<double>(line[i]);
          else ++skipped;
        }
        sums[channel] = sum;
      }
    return skipped;
  }

  bool per_run_ = false;
  int64_t groups_ = 0;
  ops::AxisView view_;
};

}  // namespace

Status make_observe_channel_sums(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, ChannelSums>(c, op);
}

}  // namespace octavo
