// FlipSign: uint8 activations as int8 and back; value and zero point move by 128.
#include "ops/support/chunks.h"
#include "ops/quantize/quantization.h"

namespace octavo {
namespace {

struct Attributes {
  Status load(const LoadContext& c) {
    const DType x = c.input(0)->dtype, y = c.output(0).dtype;
    if (x == y)
      return c.error(Code::kInvalidPlan,
                     std::string("expected uint8 to int8 or back, got ") + dtype_name(x) + " to " + dtype_name(y));
    return Status::Ok();
  }
};

class FlipSign final : public Bound {
 public:
  Status prepare(const Attributes&, BindContext& c) {
    n_ = c.out(0).elements();
    return ops::expect_shape(c, "output", c.in(0), c.out(0));
  }
  Status run(RunContext& c) override {
    const uint8_t* x = c.in<uint8_t>(0);
    uint8_t* y = c.out<uint8_t>(0);
    ops::for_chunks(c.pool(), n_, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = x[i] ^ 0x80;
    });
    return Status::Ok();
  }

 private:
  int64_t n_ = 0;
};

}  // namespace

Status make_flip_sign(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, FlipSign>(c, op);
}

}  // namespace octavo
