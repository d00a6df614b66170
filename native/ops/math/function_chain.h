// The named functions of Unary, QUnary and QTable, applied in turn.
#pragma once

#include <vector>

#include "kernels/math/math.h"
#include "ops/quantize/quantization.h"

namespace octavo::ops {

struct NamedFunction;  // function_chain.cc

class FunctionChain {
 public:
  // Attributes `fns` and `params`.
  Status load(const LoadContext& c);
  bool empty() const { return links_.empty(); }
  size_t size() const { return links_.size(); }
  bool is(const char* name) const;  // made of that function alone
  float parameter(int i) const { return links_[0].p[i]; }
  // y[i] = f(x[i]); x may be read kReadSlack bytes past its end.
  void apply(const float* x, float* y, int64_t n) const;
  double apply(double x) const;

 private:
  struct Link {
    const NamedFunction* function;
    float p[2];
  };
  std::vector<Link> links_;
};

// QUnary's table: entry b is clamp(rint(f((b - x.zp) * x.scale) / y.scale) + y.zp).
void fill_table(const FunctionChain& chain, const QuantParams& x, bool x_signed, const QuantParams& y,
                const Clamp& clamp, uint8_t table[256]);

}  // namespace octavo::ops
