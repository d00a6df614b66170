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

struct Attributes {
  Status load(const LoadContext&) { return Status::Ok(); }
};

class Cast final : public Bound {
 public:
  Status prepare(const Attributes&, BindContext& c) {
    from_ = c.in_type(0);
    to_ = c.out_type(0);
    n_ = c.out(0).elements();
    return ops::expect_shape(c, "output", c.in(0), c.out(0));
  }
  Status run(RunContext& c) override {
    ops::with_type(CastTypes(), from_, [&](auto from) {
      ops::with_type(CastTypes(), to_, [&](auto to) { convert_all<decltype(from), decltype(to)>(c); });
    });
    return Status::Ok();
  }

 private:
  template <class From, class To>
  void convert_all(RunContext& c) const {
    // Truth values are read as bytes: one that is neither 0 nor 1 is not a bool.
    using Source = std::conditional_t<std::is_same<From, bool>::value, uint8_t, From>;
    const Source* x = c.in<Source>(0);
    To* y = c.out<To>(0);
    ops::for_chunks(c.pool(), n_, [&](int64_t begin, int64_t end) {
      if constexpr (std::is_same<From, To>::value) {
        std::memcpy(y + begin, x + begin, static_cast<size_t>(end - begin) * sizeof(To));
      } else {
        for (int64_t i = begin; i < end; ++i) {
          if constexpr (std::is_same<From, bool>::value) y[i] = convert<To>(static_cast<uint8_t>(x[i] != 0));
          else y[i] = convert<To>(x[i]);
        }
      }
    });
  }

  DType from_ = DType::kFloat32, to_ = DType::kFloat32;
  int64_t n_ = 0;
};

}  // namespace

Status make_cast(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Cast>(c, op); }

}  // namespace octavo
