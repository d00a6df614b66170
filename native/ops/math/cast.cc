// Cast: between all types of a byte or more. Floats go to integers towards zero, saturated where C leaves the
// conversion undefined (NaN to 0); integers wrap; everything but zero is true.
#include <cstring>
#include <limits>

#include "ops/support/chunks.h"
#include "ops/support/half.h"
#include "ops/support/op_support.h"
#include "ops/support/typed.h"

namespace octavo {

namespace ops {
template <>
struct TypeOf<Float16> {
  static constexpr DType value = DType::kFloat16;
};
template <>
struct TypeOf<Bfloat16> {
  static constexpr DType value = DType::kBfloat16;
};
}  // namespace ops

namespace {

using CastTypes = ops::TypeList<float, double, uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, uint64_t, int64_t,
                                bool, ops::Float16, ops::Bfloat16>;

template <class T>
constexpr bool is_small = std::is_same<T, ops::Float16>::value || std::is_same<T, ops::Bfloat16>::value;

template <class To, class From>
To saturate(From x) {
  using Limits = std::numeric_limits<To>;
  // 2^digits, exactly; the largest To may not be a From.
  const From above = static_cast<From>(static_cast<From>(uint64_t{1} << (Limits::digits - 1)) * 2);
  if (x != x) return 0;
  if (x >= above) return Limits::max();
  if (Limits::is_signed ? x < -above : x <= -1) return Limits::min();
  return static_cast<To>(x);
}

template <class To, class From>
To convert(From x) {
  if constexpr (is_small<From>) return convert<To>(x.value());
  else if constexpr (is_small<To>) return To::from(static_cast<double>(x));
  else if constexpr (std::is_same<To, bool>::value) return x != 0;
  else if constexpr (std::is_floating_point<From>::value && std::is_integral<To>::value) return saturate<To>(x);
  else return static_cast<To>(x);
}

// n elements, of the types that the step has.
using CastRow = void (*)(const uint8_t* x, uint8_t* y, int64_t n);

// What C++ calls From is what memory holds: truth values are read as bytes, because one that is neither 0 nor 1 is not
// a bool.
template <class To, class From>
void cast_row(const uint8_t* x, uint8_t* y, int64_t n) {
  using Source = std::conditional_t<std::is_same<From, bool>::value, uint8_t, From>;
  const Source* from = reinterpret_cast<const Source*>(x);
  To* to = reinterpret_cast<To*>(y);
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (std::is_same<From, bool>::value) to[i] = convert<To>(static_cast<uint8_t>(from[i] != 0));
    else to[i] = convert<To>(from[i]);
  }
}

template <class T>
void copy_row(const uint8_t* x, uint8_t* y, int64_t n) {
  std::memcpy(y, x, static_cast<size_t>(n) * sizeof(T));
}

// Integers wrap: with a sign or without, it is the same bits.
template <class To, class From>
CastRow row_of() {
  constexpr bool kIntegers = std::is_integral<From>::value && std::is_integral<To>::value &&
                             !std::is_same<From, bool>::value && !std::is_same<To, bool>::value;
  if constexpr (std::is_same<From, To>::value || (kIntegers && sizeof(From) == sizeof(To))) return copy_row<From>;
  else if constexpr (kIntegers && sizeof(To) < sizeof(From))
    return cast_row<std::make_unsigned_t<To>, std::make_unsigned_t<From>>;
  else if constexpr (kIntegers) return cast_row<std::make_unsigned_t<To>, From>;
  else return cast_row<To, From>;
}

struct Attributes {
  CastRow row = nullptr;

  Status load(const LoadContext& c) {
    const DType x = c.input(0)->dtype, y = c.output(0).dtype;
    ops::with_type(CastTypes(), x, [&](auto from) {
      ops::with_type(CastTypes(), y, [&](auto to) { row = row_of<decltype(to), decltype(from)>(); });
    });
    return row ? Status::Ok()
               : c.error(Code::kUnsupported, std::string(dtype_name(x)) + " to " + std::string(dtype_name(y)));
  }
};

class Cast final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    row_ = a.row;
    from_ = static_cast<int64_t>(byte_size(c.in_type(0)));
    to_ = static_cast<int64_t>(byte_size(c.out_type(0)));
    n_ = c.out(0).elements();
    return ops::expect_shape(c, "output", c.in(0), c.out(0));
  }
  Status run(RunContext& c) override {
    const uint8_t* x = c.in<uint8_t>(0);
    uint8_t* y = c.out<uint8_t>(0);
    ops::for_chunks(c.pool(), n_,
                    [&](int64_t begin, int64_t end) { row_(x + begin * from_, y + begin * to_, end - begin); });
    return Status::Ok();
  }

 private:
  CastRow row_ = nullptr;
  int64_t from_ = 0, to_ = 0, n_ = 0;
};

}  // namespace

Status make_cast(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Cast>(c, op); }

}  // namespace octavo
