// Unary: a chain of functions of float32 (vectors), float64, and a few of integers and truth values.
#include <cmath>
#include <cstring>

#include "kernels/math/math.h"
#include "ops/support/chunks.h"
#include "ops/math/function_chain.h"
#include "ops/support/typed.h"

namespace octavo {
namespace {

bool is_integer_function(const std::string& name) {
  return name == "abs" || name == "neg" || name == "sign" || name == "relu" || name == "bitnot";
}

struct Attributes {
  ops::FunctionChain chain;
  std::vector<std::string> names;

  Status load(const LoadContext& c) {
    OCTAVO_RETURN_IF_ERROR(chain.load(c));
    names = c.texts("fns");
    const DType x = c.input(0)->dtype, y = c.output(0).dtype;
    const bool real = x == DType::kFloat32 || x == DType::kFloat64;
    const bool to_truth = chain.is("not") || chain.is("isnan") || chain.is("isinf");
    bool ok = to_truth ? y == DType::kBool && (chain.is("not") ? x == DType::kBool : real) : x == y;
    if (!to_truth && !real) {
      ok = ok && ops::has_type(ops::IntegerTypes(), x);
      for (const std::string& name : names) ok = ok && is_integer_function(name);
    }
    if (real && !to_truth)
      for (const std::string& name : names)
        ok = ok && name != "not" && name != "isnan" && name != "isinf" && name != "bitnot";
    if (ok) return Status::Ok();
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    return c.error(Code::kUnsupported, "\"" + all + "\" from " + dtype_name(x) + " to " + dtype_name(y));
  }
};

// By the first letter of the name, which tells the five apart.
template <class T>
T apply_integer(char first, T x) {
  switch (first) {
    case 'n': return ops::wrap_sub(T{0}, x);
    case 'b': return static_cast<T>(~x);
    case 'r': return x < 0 ? T{0} : x;
    case 'a': return x < 0 ? ops::wrap_sub(T{0}, x) : x;
    default: return static_cast<T>(x > 0 ? 1 : x < 0 ? -1 : 0);
  }
}

class Unary final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = a;
    type_ = c.in_type(0);
    n_ = c.out(0).elements();
    return ops::expect_shape(c, "output", c.in(0), c.out(0));
  }
  Status run(RunContext& c) override {
    const ops::FunctionChain& chain = attributes_.chain;
    if (c.output(0) == nullptr || n_ == 0) return Status::Ok();
    if (chain.is("not")) {
      truth<uint8_t>(c, [](uint8_t x) { return x == 0; });
    } else if (chain.is("isnan") || chain.is("isinf")) {
      ops::with_type(ops::FloatTypes(), type_, [&](auto zero) {
        using T = decltype(zero);
        const int sides = chain.is("isinf") ? static_cast<int>(chain.parameter(0)) : 0;
        if (chain.is("isnan")) truth<T>(c, [](T x) { return x != x; });
        else truth<T>(c, [sides](T x) { return std::isinf(x) && (sides & (x > 0 ? 2 : 1)) != 0; });
      });
    } else if (type_ == DType::kFloat32) {
      const float* x = c.in<float>(0);
      float* y = c.out<float>(0);
      ops::for_chunks(c.pool(), n_,
                      [&](int64_t begin, int64_t end) { chain.apply(x + begin, y + begin, end - begin); });
    } else if (type_ == DType::kFloat64) {
      const double* x = c.in<double>(0);
      double* y = c.out<double>(0);
      ops::for_chunks(c.pool(), n_, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) y[i] = chain.apply(x[i]);
      });
    } else {
      ops::with_type(ops::IntegerTypes(), type_, [&](auto zero) { integers<decltype(zero)>(c); });
    }
    return Status::Ok();
  }

 private:
  template <class T, class F>
  void truth(RunContext& c, F f) const {
    const T* x = c.in<T>(0);
    uint8_t* y = c.out<uint8_t>(0);
    ops::for_chunks(c.pool(), n_, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = f(x[i]) ? 1 : 0;
    });
  }
  template <class T>
  void integers(RunContext& c) const {
    const T* x = c.in<T>(0);
    T* y = c.out<T>(0);
    ops::for_chunks(c.pool(), n_, [&](int64_t begin, int64_t end) {
      if (x != y) std::memcpy(y + begin, x + begin, static_cast<size_t>(end - begin) * sizeof(T));
      for (const std::string& name : attributes_.names)
        for (int64_t i = begin; i < end; ++i) y[i] = apply_integer<T>(name[0], y[i]);
    });
  }

  Attributes attributes_;
  DType type_ = DType::kFloat32;
  int64_t n_ = 0;
};

}  // namespace

Status make_unary(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Unary>(c, op); }

}  // namespace octavo
