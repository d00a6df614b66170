// Binary: functions of two tensors of one type, with numpy broadcasting.
#include <cmath>
#include <limits>

#include "kernels/math/precise.h"
#include "ops/support/binary_rows.h"
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
struct Div {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (is_float<T>) return a / b;
    else {
      if (b == 0) return 0;
      if (std::is_signed<T>::value && b == static_cast<T>(-1)) return ops::wrap_sub(T{0}, a);
      return static_cast<T>(a / b);
    }
  }
};

// The remainder with the sign of a: fmod of C.
struct Fmod {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (is_float<T>) return static_cast<T>(precise_fmod(a, b));
    else {
      if (b == 0 || (std::is_signed<T>::value && b == static_cast<T>(-1))) return 0;
      return static_cast<T>(a % b);
    }
  }
};

// The remainder with the sign of b, as in Python.
struct Mod {
  template <class T>
  T operator()(T a, T b) const {
    const T r = Fmod()(a, b);
    return r != 0 && ((r < 0) != (b < 0)) ? static_cast<T>(r + b) : r;
  }
};

struct Pow {
  template <class T>
  T operator()(T a, T b) const {
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
};

// NaN of either side wins.
struct Max {
  template <class T>
  T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};
struct Min {
  template <class T>
  T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};

struct Prelu {
  template <class T>
  T operator()(T a, T b) const {
    return a < 0 ? ops::wrap_mul(a, b) : a;
  }
};

#define OCTAVO_BINARY(name, expression)  \
  struct name {                          \
    template <class T>                   \
    T operator()(T a, T b) const {       \
      return static_cast<T>(expression); \
    }                                    \
  };
OCTAVO_BINARY(Add, ops::wrap_add(a, b))
OCTAVO_BINARY(Sub, ops::wrap_sub(a, b))
OCTAVO_BINARY(Mul, ops::wrap_mul(a, b))
OCTAVO_BINARY(And, a != 0 && b != 0)
OCTAVO_BINARY(Or, a != 0 || b != 0)
OCTAVO_BINARY(Xor, (a != 0) != (b != 0))
OCTAVO_BINARY(BitAnd, a& b)
OCTAVO_BINARY(BitOr, a | b)
OCTAVO_BINARY(BitXor, a ^ b)
// By more bits than there are: 0.
OCTAVO_BINARY(Shl, b < sizeof(T) * 8 ? static_cast<ops::WideType<T>>(a) << b : 0)
#undef OCTAVO_BINARY

struct Shr {
  template <class T>
  T operator()(T a, T b) const {
    using W = ops::WideType<T>;
    return static_cast<W>(b) < sizeof(T) * 8 ? static_cast<T>(a >> static_cast<W>(b)) : T{0};
  }
};

template <class T, class F>
constexpr ops::BinaryRow row = ops::binary_row<T, T, F>;

// What wraps gives the same bits with a sign and without.
template <class T, bool = std::is_integral<T>::value>
struct Bits {
  using type = T;
};
template <class T>
struct Bits<T, true> {
  using type = std::make_unsigned_t<T>;
};

// Null: there is no such function of this type.
template <class T>
ops::BinaryRow number_row(Fn fn) {
  using B = typename Bits<T>::type;
  switch (fn) {
    case Fn::kAdd: return row<B, Add>;
    case Fn::kSub: return row<B, Sub>;
    case Fn::kMul: return row<B, Mul>;
    case Fn::kDiv: return row<T, Div>;
    case Fn::kPow: return row<T, Pow>;
    case Fn::kMax: return row<T, Max>;
    case Fn::kMin: return row<T, Min>;
    case Fn::kMod: return row<T, Mod>;
    case Fn::kFmod: return row<T, Fmod>;
    case Fn::kPrelu: return row<T, Prelu>;
    default: break;
  }
  if constexpr (std::is_integral<T>::value) {
    switch (fn) {
      case Fn::kBitAnd: return row<B, BitAnd>;
      case Fn::kBitOr: return row<B, BitOr>;
      case Fn::kBitXor: return row<B, BitXor>;
      case Fn::kShl: return row<B, Shl>;
      case Fn::kShr: return row<T, Shr>;
      default: break;
    }
  }
  return nullptr;
}

ops::BinaryRow row_of(Fn fn, DType type) {
  if (type == DType::kBool)
    return fn == Fn::kAnd   ? row<uint8_t, And>
           : fn == Fn::kOr  ? row<uint8_t, Or>
           : fn == Fn::kXor ? row<uint8_t, Xor>
                            : nullptr;
  ops::BinaryRow found = nullptr;
  ops::with_type(ops::NumberTypes(), type, [&](auto zero) { found = number_row<decltype(zero)>(fn); });
  return found;
}

struct Attributes {
  ops::BinaryRow row = nullptr;
  // An input with the sizes of the result is read at each index before that is written.
  bool writes_over(int) const { return true; }
  Status load(const LoadContext& c) {
    const std::string name = c.text("fn", "");
    int found = -1;
    for (int i = 0; i < 18; ++i)
      if (name == kNames[i]) found = i;
    if (found < 0) return c.error(Code::kUnsupported, "no function \"" + name + "\"");
    const DType type = c.output(0).dtype;
    row = row_of(static_cast<Fn>(found), type);
    return row ? Status::Ok() : c.error(Code::kUnsupported, "\"" + name + "\" of " + dtype_name(type));
  }
};

class Binary final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    row_ = a.row;
    size_ = static_cast<int64_t>(byte_size(c.out_type(0)));
    const int inputs[] = {0, 1};
    return broadcast_.plan(c, inputs);
  }
  Status run(RunContext& c) override {
    ops::binary_rows(c.pool(), broadcast_, row_, c.in<uint8_t>(0), c.in<uint8_t>(1), c.out<uint8_t>(0), size_, size_);
    return Status::Ok();
  }

 private:
  ops::BinaryRow row_ = nullptr;
  int64_t size_ = 0;
  ops::Broadcast<2> broadcast_;
};

}  // namespace

Status make_binary(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Binary>(c, op); }

}  // namespace octavo
