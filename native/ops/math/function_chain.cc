#include "ops/math/function_chain.h"

#include <cmath>
#include <cstring>

#include "kernels/math/precise.h"

namespace octavo::ops {

// A function in double precision, for float64 tensors and for those without a vector form.
struct NamedFunction {
  const char* name;
  int params;
  VectorFunction vector;  // kCount: none
  double (*precise)(double x, double a, double b);
};

namespace {

using V = VectorFunction;
using D = double;

D relu(D x, D, D) { return x < 0 ? 0 : x; }
D sigmoid(D x) { return 1 / (1 + precise_exp(-x)); }
D softplus(D x) { return (x > 0 ? x : 0) + precise_log1p(precise_exp(-std::fabs(x))); }
D bounded(D x, D lo, D hi) { return x < lo ? lo : x > hi ? hi : x; }
D floor_of(D x) {
  const D r = precise_rint(x);
  return std::copysign(r > x ? r - 1 : r, x);
}

#define OCTAVO_F(expression) \
  [](D x, D a, D b) -> D {   \
    static_cast<void>(a);    \
    static_cast<void>(b);    \
    return expression;       \
  }
const NamedFunction kFunctions[] = {
    {"relu", 0, V::kRelu, relu},
    {"sigmoid", 0, V::kSigmoid, OCTAVO_F(sigmoid(x))},
    {"tanh", 0, V::kTanh, OCTAVO_F(precise_tanh(x))},
    {"exp", 0, V::kExp, OCTAVO_F(precise_exp(x))},
    {"log", 0, V::kLog, OCTAVO_F(precise_log(x))},
    {"sqrt", 0, V::kSqrt, OCTAVO_F(std::sqrt(x))},
    {"reciprocal", 0, V::kReciprocal, OCTAVO_F(1 / x)},
    {"abs", 0, V::kAbs, OCTAVO_F(std::fabs(x))},
    {"neg", 0, V::kNeg, OCTAVO_F(-x)},
    {"floor", 0, V::kFloor, OCTAVO_F(floor_of(x))},
    {"ceil", 0, V::kCeil, OCTAVO_F(-floor_of(-x))},
    {"round", 0, V::kRound, OCTAVO_F(precise_rint(x))},
    {"sign", 0, V::kSign,
     OCTAVO_F(x > 0   ? 1
              : x < 0 ? -1
                      : x)},
    {"erf", 0, V::kErf, OCTAVO_F(precise_erf(x))},
    {"softplus", 0, V::kSoftplus, OCTAVO_F(softplus(x))},
    {"softsign", 0, V::kSoftsign, OCTAVO_F(x / (1 + std::fabs(x)))},
    {"hardswish", 0, V::kHardSwish, OCTAVO_F(x* bounded(x / 6 + 0.5, 0, 1))},
    {"gelu", 0, V::kGelu, OCTAVO_F(0.5 * x * (1 + precise_erf(x * 0.70710678118654752)))},
    {"gelu_tanh", 0, V::kGeluTanh,
     OCTAVO_F(0.5 * x * (1 + precise_tanh(0.79788456080286536 * (x + 0.044715 * x * x * x))))},
    {"mish", 0, V::kMish, OCTAVO_F(x* precise_tanh(softplus(x)))},
    {"leakyrelu", 1, V::kLeakyRelu, OCTAVO_F(x < 0 ? a * x : x)},
    {"elu", 1, V::kElu, OCTAVO_F(x < 0 ? a * precise_expm1(x) : x)},
    {"celu", 1, V::kCelu, OCTAVO_F(x < 0 ? a * precise_expm1(x / a) : x)},
    {"thresholdedrelu", 1, V::kThresholdedRelu, OCTAVO_F(x > a || x != x ? x : 0)},
    {"swish", 1, V::kSwish, OCTAVO_F(x* sigmoid(a* x))},
    {"clip", 2, V::kClip, OCTAVO_F(bounded(x, a, b))},
    {"hardsigmoid", 2, V::kHardSigmoid, OCTAVO_F(bounded(a* x + b, 0, 1))},
    {"selu", 2, V::kSelu, OCTAVO_F(b*(x <= 0 ? a * precise_expm1(x) : x))},
    {"shrink", 2, V::kShrink, OCTAVO_F(x<-b ? x + a : x> b ? x - a : 0 * x)},
    {"affine", 2, V::kAffine, OCTAVO_F(x* a + b)},
    {"pow", 1, V::kCount, OCTAVO_F(precise_pow(x, a))},
    {"sin", 0, V::kCount, OCTAVO_F(precise_sin(x))},
    {"cos", 0, V::kCount, OCTAVO_F(precise_cos(x))},
    {"tan", 0, V::kCount, OCTAVO_F(precise_tan(x))},
    {"asin", 0, V::kCount, OCTAVO_F(precise_asin(x))},
    {"acos", 0, V::kCount, OCTAVO_F(precise_acos(x))},
    {"atan", 0, V::kCount, OCTAVO_F(precise_atan(x))},
    {"sinh", 0, V::kCount, OCTAVO_F(precise_sinh(x))},
    {"cosh", 0, V::kCount, OCTAVO_F(precise_cosh(x))},
    {"asinh", 0, V::kCount, OCTAVO_F(precise_asinh(x))},
    {"acosh", 0, V::kCount, OCTAVO_F(precise_acosh(x))},
    {"atanh", 0, V::kCount, OCTAVO_F(precise_atanh(x))},
    // Those that give truth values or bits: 1 or 0 here, Unary writes them as what they are.
    {"not", 0, V::kCount, OCTAVO_F(x == 0)},
    {"bitnot", 0, V::kCount, OCTAVO_F(-1 - x)},
    {"isnan", 0, V::kCount, OCTAVO_F(x != x)},
    {"isinf", 1, V::kCount,
     OCTAVO_F(std::fabs(x) > 1.7976931348623157e308 && (static_cast<int>(a) & (x > 0 ? 2 : 1)) != 0)},
};
#undef OCTAVO_F

}  // namespace

Status FunctionChain::load(const LoadContext& c) {
  const std::vector<float> params = c.numbers("params");
  size_t used = 0;
  for (const std::string& name : c.texts("fns")) {
    const NamedFunction* found = nullptr;
    for (const NamedFunction& f : kFunctions)
      if (name == f.name) found = &f;
    if (found == nullptr) return c.error(Code::kUnsupported, "no function \"" + name + "\"");
    Link link = {found, {0, 0}};
    for (int i = 0; i < found->params; ++i) {
      if (used == params.size())
        return c.error(Code::kInvalidPlan,
                       "\"" + name + "\" takes " + std::to_string(found->params) + " params; there are too few");
      link.p[i] = params[used++];
    }
    links_.push_back(link);
  }
  if (used != params.size())
    return c.error(Code::kInvalidPlan, std::to_string(params.size() - used) + " params too many");
  return Status::Ok();
}

bool FunctionChain::is(const char* name) const {
  return links_.size() == 1 && std::strcmp(links_[0].function->name, name) == 0;
}

void FunctionChain::apply(const float* x, float* y, int64_t n) const {
  if (links_.empty() && n > 0) std::memcpy(y, x, static_cast<size_t>(n) * sizeof(float));
  for (const Link& link : links_) {
    const NamedFunction& f = *link.function;
    if (f.vector != V::kCount) {
      math_kernels().apply(f.vector, x, y, n, link.p);
    } else {
      for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(f.precise(x[i], link.p[0], link.p[1]));
    }
    x = y;
  }
}

double FunctionChain::apply(double x) const {
  for (const Link& link : links_) x = link.function->precise(x, link.p[0], link.p[1]);
  return x;
}

void fill_table(const FunctionChain& chain, const QuantParams& x, bool x_signed, const QuantParams& y,
                const Clamp& clamp, uint8_t table[256]) {
  float real[256 + kReadSlack / sizeof(float)] = {}, result[256 + kReadSlack / sizeof(float)];
  for (int b = 0; b < 256; ++b)
    real[b] = static_cast<float>(q8_value(static_cast<uint8_t>(b), x_signed) - x.zp) * x.scale;
  chain.apply(real, result, 256);
  for (int b = 0; b < 256; ++b) {
    const float scaled = result[b] / y.scale;
    table[b] = static_cast<uint8_t>(round_q8(scaled != scaled ? 0.0f : scaled, y.zp, clamp));
  }
}

}  // namespace octavo::ops
