// QBinary: add, sub, mul, max, min and prelu of two quantized activations, with numpy broadcasting.
#include "kernels/q8/q8.h"
#include "ops/support/broadcast.h"
#include "ops/math/function_chain.h"
#include "ops/steps.h"

namespace octavo {
namespace {

enum class Fn { kAdd, kSub, kMul, kMax, kMin, kPrelu };

struct Attributes {
  Fn fn = Fn::kAdd;
  ops::Quantization a, b, y;
  ops::Clamp clamp;

  Status load(const LoadContext& c) {
    if (c.input(3) == nullptr) return c.error(Code::kInvalidPlan, "input 3 is missing");
    const std::string name = c.text("fn", "");
    const char* const names[] = {"add", "sub", "mul", "max", "min", "prelu"};
    int found = -1;
    for (int i = 0; i < 6; ++i)
      if (name == names[i]) found = i;
    if (found < 0) return c.error(Code::kUnsupported, "no function \"" + name + "\"");
    fn = static_cast<Fn>(found);
    OCTAVO_RETURN_IF_ERROR(a.load(c, step::QBinary::kAScale, step::QBinary::kAZp, c.input(step::QBinary::kA)->dtype));
    OCTAVO_RETURN_IF_ERROR(b.load(c, step::QBinary::kBScale, step::QBinary::kBZp, c.input(step::QBinary::kB)->dtype));
    OCTAVO_RETURN_IF_ERROR(y.load(c, step::QBinary::kYScale, step::QBinary::kYZp, c.output(0).dtype));
    return clamp.load(c, c.output(0).dtype);
  }
};

class QBinary final : public Bound {
 public:
  Status prepare(const Attributes& attributes, BindContext& c) {
    attributes_ = attributes;
    const int inputs[] = {0, 3};
    OCTAVO_RETURN_IF_ERROR(broadcast_.plan(c, inputs));
    OCTAVO_RETURN_IF_ERROR(attributes_.a.bind(c));
    OCTAVO_RETURN_IF_ERROR(attributes_.b.bind(c));
    return attributes_.y.bind(c);
  }

  Status run(RunContext& c) override {
    ops::QuantParams a, b, y;
    OCTAVO_RETURN_IF_ERROR(attributes_.a.read(c, &a));
    OCTAVO_RETURN_IF_ERROR(attributes_.b.read(c, &b));
    OCTAVO_RETURN_IF_ERROR(attributes_.y.read(c, &y));
    switch (attributes_.fn) {
      case Fn::kAdd:
      case Fn::kSub:
      case Fn::kMul: arithmetic(c, a, b, y); break;
      case Fn::kMax:
      case Fn::kMin: compare(c, a, b, y); break;
      case Fn::kPrelu: prelu(c, a, b, y); break;
    }
    return Status::Ok();
  }

 private:
  void arithmetic(RunContext& c, const ops::QuantParams& a, const ops::QuantParams& b, const ops::QuantParams& y) {
    const bool multiply = attributes_.fn == Fn::kMul;
    const Q8Kernels& kernels = q8_kernels();
    const auto kernel = multiply ? kernels.mul : kernels.add;
    // Both operations commute, so the operand that stays the same in a row becomes b.
    const bool swap = broadcast_.step(0) == 0;
    const Q8Binary p = parameters(a, b, y, swap);
    const uint8_t* left = c.in<uint8_t>(swap ? 3 : 0);
    const uint8_t* right = c.in<uint8_t>(swap ? 0 : 3);
    uint8_t* out = c.out<uint8_t>(0);
    broadcast_.for_each_row(c.pool(), [&](const int64_t* offsets, int64_t at, int64_t n) {
      kernel(p, left + offsets[swap ? 1 : 0], right + offsets[swap ? 0 : 1], out + at, n);
    });
  }

  Q8Binary parameters(const ops::QuantParams& a, const ops::QuantParams& b, const ops::QuantParams& y,
                      bool swap) const {
    const float ra = a.scale / y.scale;
    const float rb = b.scale / y.scale;
    const bool subtract = attributes_.fn == Fn::kSub;
    Q8Binary p;
    p.a_signed = swap ? attributes_.b.is_signed() : attributes_.a.is_signed();
    p.b_signed = swap ? attributes_.a.is_signed() : attributes_.b.is_signed();
    p.b_scalar = broadcast_.step(0) == 0 || broadcast_.step(1) == 0;
    const float signed_rb = subtract ? -rb : rb;
    p.ra = swap ? signed_rb : ra;
    p.rb = swap ? ra : signed_rb;
    const float product = a.scale * b.scale;
    p.m = product / y.scale;
    p.za = swap ? b.zp : a.zp;
    p.zb = swap ? a.zp : b.zp;
    p.zy = y.zp;
    p.qmin = attributes_.clamp.qmin;
    p.qmax = attributes_.clamp.qmax;
    return p;
  }

  void compare(RunContext& c, const ops::QuantParams& a, const ops::QuantParams& b, const ops::QuantParams& y) {
    const ops::FunctionChain identity;
    uint8_t table_a[256], table_b[256];
    ops::fill_table(identity, a, attributes_.a.is_signed(), y, attributes_.clamp, table_a);
    ops::fill_table(identity, b, attributes_.b.is_signed(), y, attributes_.clamp, table_b);
    const bool is_signed = attributes_.y.is_signed(), largest = attributes_.fn == Fn::kMax;
    each(c, [&](uint8_t left, uint8_t right) {
      const uint8_t qa = table_a[left], qb = table_b[right];
      const bool a_above = ops::q8_value(qa, is_signed) > ops::q8_value(qb, is_signed);
      return a_above == largest ? qa : qb;
    });
  }

  void prelu(RunContext& c, const ops::QuantParams& a, const ops::QuantParams& b, const ops::QuantParams& y) {
    uint8_t positive[256];
    ops::fill_table(ops::FunctionChain(), a, attributes_.a.is_signed(), y, attributes_.clamp, positive);
    const float product = a.scale * b.scale;
    const float m = product / y.scale;
    each(c, [&](uint8_t left, uint8_t right) {
      const int32_t da = ops::q8_value(left, attributes_.a.is_signed()) - a.zp;
      if (da >= 0) return positive[left];
      const int32_t db = ops::q8_value(right, attributes_.b.is_signed()) - b.zp;
      return static_cast<uint8_t>(ops::round_q8(static_cast<float>(da * db) * m, y.zp, attributes_.clamp));
    });
  }

  template <class F>
  void each(RunContext& c, F f) {
    const uint8_t* a = c.in<uint8_t>(0);
    const uint8_t* b = c.in<uint8_t>(3);
    uint8_t* y = c.out<uint8_t>(0);
    const int64_t step_a = broadcast_.step(0), step_b = broadcast_.step(1);
    broadcast_.for_each_row(c.pool(), [&](const int64_t* offsets, int64_t at, int64_t n) {
      for (int64_t i = 0; i < n; ++i) y[at + i] = f(a[offsets[0] + i * step_a], b[offsets[1] + i * step_b]);
    });
  }

  Attributes attributes_;
  ops::Broadcast<2> broadcast_;
};

}  // namespace

Status make_qbinary(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, QBinary>(c, op); }

}  // namespace octavo
