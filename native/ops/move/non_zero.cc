// NonZeroCount: how many elements are not zero, int64 [1]. NonZero: their coordinates, int64 [rank, count], in
// row-major order.
#include "ops/support/op_support.h"

namespace octavo {
namespace {

struct Attributes {
  bool count_only = false;
  Status load(const LoadContext& c) {
    count_only = c.op() == "NonZeroCount";
    return Status::Ok();
  }
};

template <class T, T kMask>
struct Bits {
  static bool non_zero(const void* x, int64_t i) { return (static_cast<const T*>(x)[i] & kMask) != 0; }
};

// Of floats the sign does not count: -0 is zero.
using NonZeroFn = bool (*)(const void*, int64_t);
NonZeroFn non_zero_function(DType type) {
  switch (type) {
    case DType::kFloat32: return Bits<uint32_t, 0x7fffffffu>::non_zero;
    case DType::kFloat64: return Bits<uint64_t, 0x7fffffffffffffffull>::non_zero;
    case DType::kFloat16:
    case DType::kBfloat16: return Bits<uint16_t, 0x7fff>::non_zero;
    default: break;
  }
  switch (bit_width(type)) {
    case 8: return Bits<uint8_t, 0xff>::non_zero;
    case 16: return Bits<uint16_t, 0xffff>::non_zero;
    case 32: return Bits<uint32_t, 0xffffffffu>::non_zero;
    case 64: return Bits<uint64_t, 0xffffffffffffffffull>::non_zero;
    default: return nullptr;
  }
}

class NonZero final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    x_ = c.in(0);
    count_only_ = a.count_only;
    non_zero_ = non_zero_function(c.in_type(0));
    if (non_zero_ == nullptr)
      return c.error(Code::kUnsupported, std::string("elements of type ") + dtype_name(c.in_type(0)));
    if (c.out_type(0) != DType::kInt64)
      return c.error(Code::kInvalidPlan, std::string("expected an int64 output, got ") + dtype_name(c.out_type(0)));
    const Shape& out = c.out(0);
    if (count_only_ ? out.elements() != 1 : out.rank != 2 || out[0] != x_.rank)
      return c.error(Code::kShape, "output " + ops::dims_text(out) + " for an input " + ops::dims_text(x_));
    columns_ = count_only_ ? 0 : out[1];
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const void* x = c.input(0);
    int64_t* y = c.out<int64_t>(0);
    const int64_t total = x_.elements();
    int64_t found = 0, at[kMaxRank] = {};
    for (int64_t i = 0; i < total; ++i) {
      if (non_zero_(x, i)) {
        if (!count_only_ && found < columns_)
          for (int d = 0; d < x_.rank; ++d) y[d * columns_ + found] = at[d];
        ++found;
      }
      if (count_only_) continue;
      for (int d = x_.rank - 1; d >= 0 && ++at[d] == x_[d]; --d) at[d] = 0;
    }
    if (count_only_) y[0] = found;
    else if (found != columns_)
      return c.error(Code::kData,
                     std::to_string(found) + " elements are not zero, the output holds " + std::to_string(columns_));
    return Status::Ok();
  }

 private:
  Shape x_;
  NonZeroFn non_zero_ = nullptr;
  bool count_only_ = false;
  int64_t columns_ = 0;
};

}  // namespace

Status make_non_zero_count(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, NonZero>(c, op);
}
Status make_non_zero(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, NonZero>(c, op); }

}  // namespace octavo
