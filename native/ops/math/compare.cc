// Compare: two tensors of one type to truth values, with numpy broadcasting.
#include "ops/support/elementwise_loop.h"
#include "ops/support/typed.h"

namespace octavo {
namespace {

struct Attributes {
  enum Fn { kEqual, kLess, kLessEqual, kGreater, kGreaterEqual } fn = kEqual;
  Status load(const LoadContext& c) {
    const std::string name = c.text("fn", "");
    const char* const names[] = {"equal", "less", "less_equal", "greater", "greater_equal"};
    int found = -1;
    for (int i = 0; i < 5; ++i)
      if (name == names[i]) found = i;
    if (found < 0) return c.error(Code::kUnsupported, "no function \"" + name + "\"");
    fn = static_cast<Fn>(found);
    return Status::Ok();
  }
};

class Compare final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    fn_ = a.fn;
    type_ = c.in_type(0);
    const int inputs[] = {0, 1};
    return broadcast_.plan(c, inputs);
  }
  Status run(RunContext& c) override {
    ops::with_type(ops::AllTypes(), type_, [&](auto zero) {
      using T = decltype(zero);
      const auto each = [&](auto f) {
        ops::binary_loop(c.pool(), broadcast_, c.in<T>(0), c.in<T>(1), c.out<uint8_t>(0), f);
      };
      switch (fn_) {
        case Attributes::kEqual: return each([](T a, T b) { return static_cast<uint8_t>(a == b); });
        case Attributes::kLess: return each([](T a, T b) { return static_cast<uint8_t>(a < b); });
        case Attributes::kLessEqual: return each([](T a, T b) { return static_cast<uint8_t>(a <= b); });
        case Attributes::kGreater: return each([](T a, T b) { return static_cast<uint8_t>(a > b); });
        case Attributes::kGreaterEqual: return each([](T a, T b) { return static_cast<uint8_t>(a >= b); });
      }
    });
    return Status::Ok();
  }

 private:
  Attributes::Fn fn_ = Attributes::kEqual;
  DType type_ = DType::kFloat32;
  ops::Broadcast<2> broadcast_;
};

}  // namespace

Status make_compare(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Compare>(c, op); }

}  // namespace octavo
