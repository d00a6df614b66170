// ObserveMoments: extremes and power sums of all elements.
#include "ops/observe/scan.h"

namespace octavo {
namespace {

struct Attributes {
  Status load(const LoadContext&) { return Status::Ok(); }
};

class Moments final : public Bound {
 public:
  Status prepare(const Attributes&, BindContext& c) {
    elements_ = c.in(0).elements();
    c.scratch(observe::scan_bytes(elements_), 0);
    return observe::check_state(c, MomentsRecord::words());
  }
  Status run(RunContext& c) override {
    const observe::Scan seen = observe::scan(c.pool(), c.in<float>(0), elements_, c.shared_scratch());
    observe::add_moments(MomentsRecord(c.out<double>(0)), seen);
    return Status::Ok();
  }

 private:
  int64_t elements_ = 0;
};

}  // namespace

Status make_observe_moments(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, Moments>(c, op);
}

}  // namespace octavo
