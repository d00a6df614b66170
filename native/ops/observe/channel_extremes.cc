// ObserveChannelExtremes: the least and the largest element of every channel.
#include "ops/observe/frame.h"

namespace octavo {
namespace {

constexpr int64_t kGroup = 16;  // channels of one task

class ChannelExtremes final : public Bound {
 public:
  Status prepare(const observe::ChannelAttributes& a, BindContext& c) {
    OCTAVO_RETURN_IF_ERROR(a.view(c, &view_));
    return observe::check_state(c, ChannelExtremesRecord::words(view_.n));
  }

  Status run(RunContext& c) override {
    const float* x = c.in<float>(0);
    const ChannelExtremesRecord record(c.out<double>(0), view_.n);
    c.pool().for_each((view_.n + kGroup - 1) / kGroup, [&](int64_t group, int) {
      const int64_t begin = group * kGroup;
      add(x, begin, view_.n - begin < kGroup ? view_.n - begin : kGroup, record);
    });
    double finite = 0;
    for (int64_t channel = 0; channel < view_.n; ++channel) finite += record.counts[channel];
    const double seen = *record.count + *record.nonfinite + static_cast<double>(view_.outer * view_.n * view_.inner);
    *record.count = finite;
    *record.nonfinite = seen - finite;
    return Status::Ok();
  }

 private:
  // Channels [begin, begin + n).
  void add(const float* x, int64_t begin, int64_t n, const ChannelExtremesRecord& record) const {
    float low[kGroup], high[kGroup];
    int64_t count[kGroup] = {};
    for (int64_t i = 0; i < n; ++i) {
      const bool none = record.counts[begin + i] == 0;
      low[i] = none ? std::numeric_limits<float>::infinity() : static_cast<float>(record.lows[begin + i]);
      high[i] = none ? -std::numeric_limits<float>::infinity() : static_cast<float>(record.highs[begin + i]);
    }
    for (int64_t outer = 0; outer < view_.outer; ++outer)
      for (int64_t i = 0; i < n; ++i) {
        const float* line = x + (outer * view_.n + begin + i) * view_.inner;
        for (int64_t k = 0; k < view_.inner; ++k) {
          if (!observe::is_finite(line[k])) continue;
          low[i] = line[k] < low[i] ? line[k] : low[i];
          high[i] = line[k] > high[i] ? line[k] : high[i];
          ++count[i];
        }
      }
    for (int64_t i = 0; i < n; ++i) {
      record.counts[begin + i] += static_cast<double>(count[i]);
      if (record.counts[begin + i] == 0) continue;
      record.lows[begin + i] = static_cast<double>(low[i]);
      record.highs[begin + i] = static_cast<double>(high[i]);
    }
  }

  ops::AxisView view_;
};

}  // namespace

Status make_observe_channel_extremes(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<observe::ChannelAttributes, ChannelExtremes>(c, op);
}

}  // namespace octavo
