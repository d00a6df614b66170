// ObserveExtremes: extremes of all runs, and the exponential moving average of those of every run. Inputs: x, the
// weight of a new run in the average (float64, constant).
#include "ops/observe/scan.h"

namespace octavo {
namespace {

struct Attributes {
  double momentum = 0;
  Status load(const LoadContext& c) {
    const TensorSpec& m = *c.input(1);
    if (m.dtype != DType::kFloat64 || !m.constant || m.byte_length != sizeof momentum)
      return c.error(Code::kUnsupported, "the momentum must be one constant number, float64");
    std::memcpy(&momentum, m.data, sizeof momentum);
    if (!(momentum > 0 && momentum <= 1)) return c.error(Code::kInvalidPlan, "the momentum is not in (0, 1]");
    return Status::Ok();
  }
};

class Extremes final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    momentum_ = a.momentum;
    elements_ = c.in(0).elements();
    c.scratch(observe::scan_bytes(elements_), 0);
    return observe::check_state(c, ExtremesRecord::words());
  }
  Status run(RunContext& c) override {
    const observe::Scan seen = observe::scan(c.pool(), c.in<float>(0), elements_, c.shared_scratch());
    const ExtremesRecord record(c.out<double>(0));
    observe::add_extremes(record, seen);
    if (seen.finite == 0) return Status::Ok();
    const double weight = *record.runs == 0 ? 1 : momentum_;
    *record.low += weight * (seen.min - *record.low);
    *record.high += weight * (seen.max - *record.high);
    *record.runs += 1;
    return Status::Ok();
  }

 private:
  double momentum_ = 0;
  int64_t elements_ = 0;
};

}  // namespace

Status make_observe_extremes(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, Extremes>(c, op);
}

}  // namespace octavo
