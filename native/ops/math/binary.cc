// Binary: functions of two tensors of one type, with numpy broadcasting.
#include <cmath>
#include <limits>

#include "kernels/math/precise.h"
#include "ops/support/elementwise_loop.h"
#include "ops/support/typed.h"

namespace octavo {
namespace {

enum class Fn {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kPow,
  kMax,
  kMin,
  kMod,
  kFmod,
  kPrelu,
  kAnd,
  kOr,
  kXor,
  kBitAnd,
  kBitOr,
  kBitXor,
  kShl,
  kShr
};
constexpr const char* kNames[] = {"add",   "sub", "mul", "div", "pow",    "max",   "min",    "mod", "fmod",
                                  "prelu", "and", "or",  "xor", "bitand", "bitor", "bitxor", "shl", "shr"};

template <class T>
constexpr bool is_float = std::is_floating_point<T>::value;

// Towards zero; by zero gives 0, the smallest by -1 wraps to itself.
template <class T>
T divide(T a, T b) {
  if constexpr (is_float<T>) return a / b;
  else {
    if (b == 0) return 0;
    if (std::is_signed<T>::value && b == static_cast<T>(-1)) return ops::wrap_sub(T{0}, a);
    return static_cast<T>(a / b);
  }
}

// The remainder with the sign of a (fmod of C) or, for mod, of b (as in Python).
template <class T>
T remainder(T a, T b) {
  if constexpr (is_float<T>) return static_cast<T>(precise_fmod(a, b));
  else {
    if (b == 0 || (std::is_signed<T>::value && b == static_cast<T>(-1))) return 0;
    return static_cast<T>(a % b);
  }
}
template <class T>
T modulo(T a, T b) {
  const T r = remainder(a, b);
  return r != 0 && ((r < 0) != (b < 0)) ? static_cast<T>(r + b) : r;
}

template <class T>
T power(T a, T b) {
  if constexpr (is_float<T>) return static_cast<T>(precise_pow(a, b));
  else {
    if (std::is_signed<T>::value && b < 0)
      return a == 1 ? T{1} : a == static_cast<T>(-1) ? static_cast<T>(b % 2 == 0 ? 1 : -1) : T{0};
    T result = 1;
    for (; b > 0; b = static_cast<T>(b / 2), a = ops::wrap_mul(a, a))
      if (b % 2 != 0) result = ops::wrap_mul(result, a);
    return result;
  }
}

template <class T>
struct Arguments {
  ThreadPool& pool;
  const ops::Broadcast<2>& broadcast;
  const T *a, *b;
  T* y;
  template <class F>
  bool operator()(F f) const {
    ops::binary_loop(pool, broadcast, a, b, y, f);
    return true;
  }
};

// NaN of either side wins.
template <class T>
T largest(T a, T b) {
  return a > b || a != a ? a : b;
}
template <class T>
T smallest(T a, T b) {
  return a < b || a != a ? a : b;
}

template <class T>
bool run_number(Fn fn, const Arguments<T>& each) {
  switch (fn) {
    case Fn::kAdd: return each([](T a, T b) { return ops::wrap_add(a, b); });
    case Fn::kSub: return each([](T a, T b) { return ops::wrap_sub(a, b); });
    case Fn::kMul: return each([](T a, T b) { return ops::wrap_mul(a, b); });
    case Fn::kDiv: return each([](T a, T b) { return divide(a, b); });
    case Fn::kPow: return each([](T a, T b) { return power(a, b); });
    case Fn::kMax: return each([](T a, T b) { return largest(a, b); });
    case Fn::kMin: return each([](T a, T b) { return smallest(a, b); });
    case Fn::kMod: return each([](T a, T b) { return modulo(a, b); });
    case Fn::kFmod: return each([](T a, T b) { return remainder(a, b); });
    case Fn::kPrelu: return each([](T a, T b) { return a < 0 ? ops::wrap_mul(a, b) : a; });
    default: return false;
  }
}

template <class T>
bool run_bits(Fn fn, const Arguments<T>& each) {
  using W = ops::WideType<T>;
  constexpr W kBits = sizeof(T) * 8;  // shifting by more gives 0
  switch (fn) {
    case Fn::kBitAnd: return each([](T a, T b) { return static_cast<T>(a & b); });
    case Fn::kBitOr: return each([](T a, T b) { return static_cast<T>(a | b); });
    case Fn::kBitXor: return each([](T a, T b) { return static_cast<T>(a ^ b); });
    case Fn::kShl:
      return each([](T a, T b) {
        return static_cast<W>(b) < kBits ? static_cast<T>(static_cast<W>(a) << static_cast<W>(b)) : T{0};
      });
    case Fn::kShr:
      return each([](T a, T b) { return static_cast<W>(b) < kBits ? static_cast<T>(a >> static_cast<W>(b)) : T{0}; });
    default: return false;
  }
}

bool run_truth(Fn fn, const Arguments<uint8_t>& each) {
  switch (fn) {
    case Fn::kAnd: return each([](uint8_t a, uint8_t b) { return static_cast<uint8_t>(a != 0 && b != 0); });
    case Fn::kOr: return each([](uint8_t a, uint8_t b) { return static_cast<uint8_t>(a != 0 || b != 0); });
    case Fn::kXor: return each([](uint8_t a, uint8_t b) { return static_cast<uint8_t>((a != 0) != (b != 0)); });
    default: return false;
  }
}

struct Attributes {
  Fn fn = Fn::kAdd;
  // An input with the sizes of the result is read at each index before that is written.
  bool writes_over(int) const { return true; }
  Status load(const LoadContext& c) {
    const std::string name = c.text("fn", "");
    int found = -1;
    for (int i = 0; i < 18; ++i)
      if (name == kNames[i]) found = i;
    if (found < 0) return c.error(Code::kUnsupported, "no function \"" + name + "\"");
    fn = static_cast<Fn>(found);
    const DType type = c.output(0).dtype;
    const bool ok = fn <= Fn::kPrelu ? ops::has_type(ops::NumberTypes(), type)
                    : fn <= Fn::kXor ? type == DType::kBool
                                     : ops::has_type(ops::IntegerTypes(), type);
    return ok ? Status::Ok() : c.error(Code::kUnsupported, "\"" + name + "\" of " + dtype_name(type));
  }
};

class Binary final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    fn_ = a.fn;
    type_ = c.out_type(0);
    const int inputs[] = {0, 1};
    return broadcast_.plan(c, inputs);
  }
  Status run(RunContext& c) override {
    if (type_ == DType::kBool) {
      run_truth(fn_, {c.pool(), broadcast_, c.in<uint8_t>(0), c.in<uint8_t>(1), c.out<uint8_t>(0)});
      return Status::Ok();
    }
    ops::with_type(ops::NumberTypes(), type_, [&](auto zero) {
      using T = decltype(zero);
      const Arguments<T> each = {c.pool(), broadcast_, c.in<T>(0), c.in<T>(1), c.out<T>(0)};
      if (run_number(fn_, each)) return;
      if constexpr (std::is_integral<T>::value) run_bits(fn_, each);
    });
    return Status::Ok();
  }

 private:
  Fn fn_ = Fn::kAdd;
  DType type_ = DType::kFloat32;
  ops::Broadcast<2> broadcast_;
};

}  // namespace

Status make_binary(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Binary>(c, op); }

}  // namespace octavo
