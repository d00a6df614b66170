// Range (start + i * delta) and Values (numbers of the plan as a tensor).
#include <type_traits>

#include "ops/support/op_support.h"

namespace octavo {
namespace {

template <class T>
void fill_range(const void* start, const void* delta, void* out, int64_t count) {
  const T first = *static_cast<const T*>(start), step = *static_cast<const T*>(delta);
  T* y = static_cast<T*>(out);
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_integral_v<T>)  // unsigned: wraps
      y[i] = static_cast<T>(static_cast<uint64_t>(first) + static_cast<uint64_t>(i) * static_cast<uint64_t>(step));
    else y[i] = first + static_cast<T>(i) * step;
  }
}

using RangeFn = void (*)(const void*, const void*, void*, int64_t);

RangeFn range_function(DType type) {
  switch (type) {
    case DType::kFloat32: return fill_range<float>;
    case DType::kFloat64: return fill_range<double>;
    case DType::kInt16: return fill_range<int16_t>;
    case DType::kInt32: return fill_range<int32_t>;
    case DType::kInt64: return fill_range<int64_t>;
    default: return nullptr;
  }
}

struct RangeAttributes {
  Status load(const LoadContext&) { return Status::Ok(); }
};

class Range final : public Bound {
 public:
  Status prepare(const RangeAttributes&, BindContext& c) {
    size_t width;
    for (int i = 0; i < 2; ++i) {
      OCTAVO_RETURN_IF_ERROR(ops::element_width(c, i, &width));
      if (c.in(i).elements() != 1)
        return c.error(Code::kShape, "expected scalar start and delta, got " + ops::dims_text(c.in(i)));
    }
    fill_ = range_function(c.out_type(0));
    if (fill_ == nullptr) return c.error(Code::kUnsupported, std::string("a range of ") + dtype_name(c.out_type(0)));
    count_ = c.out(0).elements();
    return Status::Ok();
  }
  Status run(RunContext& c) override {
    fill_(c.input(0), c.input(1), c.output(0), count_);
    return Status::Ok();
  }

 private:
  RangeFn fill_ = nullptr;
  int64_t count_ = 0;
};

struct ValuesAttributes {
  Status load(const LoadContext&) { return Status::Ok(); }
};

class Values final : public Bound {
 public:
  Status prepare(const ValuesAttributes&, BindContext& c) {
    values_ = c.integers("values");
    wide_ = c.out_type(0) == DType::kInt64;
    if (!wide_ && c.out_type(0) != DType::kInt32)
      return c.error(Code::kUnsupported, std::string("values of type ") + dtype_name(c.out_type(0)));
    if (static_cast<int64_t>(values_.size()) != c.out(0).elements())
      return c.error(Code::kShape,
                     std::to_string(values_.size()) + " values for an output of " + ops::dims_text(c.out(0)));
    for (int64_t value : values_)
      if (!wide_ && (value < INT32_MIN || value > INT32_MAX))
        return c.error(Code::kShape, std::to_string(value) + " does not fit int32");
    return Status::Ok();
  }
  Status run(RunContext& c) override {
    for (size_t i = 0; i < values_.size(); ++i) {
      if (wide_) c.out<int64_t>(0)[i] = values_[i];
      else c.out<int32_t>(0)[i] = static_cast<int32_t>(values_[i]);
    }
    return Status::Ok();
  }

 private:
  std::vector<int64_t> values_;
  bool wide_ = true;
};

}  // namespace

Status make_range(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<RangeAttributes, Range>(c, op); }
Status make_values(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<ValuesAttributes, Values>(c, op);
}

}  // namespace octavo
