// ObserveSamples: a fair sample of the vectors along the channel axis over all runs, at most `capacity` of them (Vitter
// 1985, Algorithm R). The generator (T. Ettinger's mulberry32) starts from 0, so the same runs give the same sample.
#include <cmath>

#include "ops/observe/frame.h"

namespace octavo {
namespace {

struct Attributes : observe::ChannelAttributes {
  int64_t capacity = 0;
  Status load(const LoadContext& c) {
    capacity = c.integer("capacity", 0);
    if (capacity < 1 || capacity > observe::kMostSizes)
      return c.error(Code::kInvalidPlan, "cannot keep " + std::to_string(capacity) + " vectors");
    return ChannelAttributes::load(c);
  }
};

// A number in [0, 1) of 32 random bits.
double next(uint32_t* state) {
  *state += 0x6d2b79f5u;
  uint32_t t = (*state ^ (*state >> 15)) * (1u | *state);
  t = (t + (t ^ (t >> 7)) * (61u | t)) ^ t;
  return static_cast<double>(t ^ (t >> 14)) / 4294967296.0;
}

class Samples final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    capacity_ = a.capacity;
    OCTAVO_RETURN_IF_ERROR(a.view(c, &view_));
    return observe::check_state(c, SamplesRecord::words(capacity_, view_.n));
  }

  // On one thread: whether a vector is kept depends on how many came before it.
  Status run(RunContext& c) override {
    const float* x = c.in<float>(0);
    const SamplesRecord record(c.out<double>(0));
    // A state that somebody wrote may hold anything.
    uint32_t random = *record.random >= 0 && *record.random <= 4294967295.0 ? static_cast<uint32_t>(*record.random) : 0;
    if (!(*record.held >= 0 && *record.held <= static_cast<double>(capacity_))) *record.held = 0;
    if (!(*record.rows >= *record.held && *record.rows <= 9007199254740992.0)) *record.rows = *record.held;
    for (int64_t r = 0; r < view_.lines(); ++r) {
      const float* vector = x + view_.start(r);
      if (!add_seen(vector, record)) continue;
      *record.rows += 1;
      double slot = *record.held;
      if (slot < static_cast<double>(capacity_)) *record.held += 1;
      else slot = std::floor(next(&random) * *record.rows);
      if (slot >= static_cast<double>(capacity_)) continue;
      float* kept = record.vectors + static_cast<int64_t>(slot) * view_.n;
      for (int64_t i = 0; i < view_.n; ++i) kept[i] = vector[i * view_.inner];
    }
    *record.random = random;
    return Status::Ok();
  }

 private:
  // Whether all of a vector is finite.
  bool add_seen(const float* vector, const SamplesRecord& record) const {
    int64_t finite = 0;
    for (int64_t i = 0; i < view_.n; ++i) finite += observe::is_finite(vector[i * view_.inner]) ? 1 : 0;
    *record.count += static_cast<double>(finite);
    *record.nonfinite += static_cast<double>(view_.n - finite);
    return finite == view_.n;
  }

  int64_t capacity_ = 0;
  ops::AxisView view_;
};

}  // namespace

Status make_observe_samples(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, Samples>(c, op);
}

}  // namespace octavo
