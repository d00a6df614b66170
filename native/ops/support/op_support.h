// What the operators without kernels of their own share: the two halves of an operator as two plain structs, and checks
// of shapes.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "engine/op.h"

namespace octavo::ops {

// The name of the kernel that attributes chose, where they have one.
template <class Attributes>
auto kernel_of(const Attributes& a, int) -> decltype(a.kernel()) {
  return a.kernel();
}
template <class Attributes>
std::string kernel_of(const Attributes&, long) {
  return {};
}

// What Op says of constants, where the attributes keep copies of them.
template <class Attributes>
auto reads_constant_of(const Attributes& a, int input, int) -> decltype(a.reads_constant(input)) {
  return a.reads_constant(input);
}
template <class Attributes>
bool reads_constant_of(const Attributes&, int, long) {
  return true;
}
template <class Attributes>
auto packed_bytes_of(const Attributes& a, int) -> decltype(a.packed_bytes()) {
  return a.packed_bytes();
}
template <class Attributes>
size_t packed_bytes_of(const Attributes&, long) {
  return 0;
}

template <class Attributes>
auto writes_over_of(const Attributes& a, int input, int) -> decltype(a.writes_over(input)) {
  return a.writes_over(input);
}
template <class Attributes>
bool writes_over_of(const Attributes&, int, long) {
  return false;
}

// An operator made of Attributes (with `Status load(const LoadContext&)`) and BoundT (a Bound with
// `Status prepare(const Attributes&, BindContext&)`). Used as: return make_op<Attributes, BoundT>(context, op).
template <class Attributes, class BoundT>
class SimpleOp final : public Op {
 public:
  explicit SimpleOp(Attributes attributes) : attributes_(std::move(attributes)) {}
  Status bind(BindContext& context, std::unique_ptr<Bound>* bound) const override {
    auto made = std::make_unique<BoundT>();
    OCTAVO_RETURN_IF_ERROR(made->prepare(attributes_, context));
    *bound = std::move(made);
    return Status::Ok();
  }
  std::string kernel() const override { return kernel_of(attributes_, 0); }
  bool reads_constant(int input) const override { return reads_constant_of(attributes_, input, 0); }
  bool writes_over(int input) const override { return writes_over_of(attributes_, input, 0); }
  size_t packed_bytes() const override { return packed_bytes_of(attributes_, 0); }

 private:
  Attributes attributes_;
};

template <class Attributes, class BoundT>
Status make_op(const LoadContext& context, std::unique_ptr<Op>* op) {
  Attributes attributes;
  OCTAVO_RETURN_IF_ERROR(attributes.load(context));
  *op = std::make_unique<SimpleOp<Attributes, BoundT>>(std::move(attributes));
  return Status::Ok();
}

// "[1, 3, 224, 224]"
inline std::string dims_text(const Shape& shape) {
  std::string text = "[";
  for (int i = 0; i < shape.rank; ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

// The width in bytes of the elements of output 0, which input `i` must share; types of less than a byte are refused.
inline Status element_width(BindContext& c, int i, size_t* width) {
  if (c.in_type(i) != c.out_type(0))
    return c.error(Code::kInvalidPlan, std::string("input ") + std::to_string(i) + " is " + dtype_name(c.in_type(i)) +
                                           ", the output " + dtype_name(c.out_type(0)));
  *width = byte_size(c.out_type(0));
  if (*width == 0) return c.error(Code::kUnsupported, std::string("elements of type ") + dtype_name(c.out_type(0)));
  return Status::Ok();
}

inline Status shape_error(BindContext& c, const char* what, const Shape& expected, const Shape& got) {
  return c.error(Code::kShape, std::string(what) + ": expected " + dims_text(expected) + ", got " + dims_text(got));
}

inline Status expect_shape(BindContext& c, const char* what, const Shape& expected, const Shape& got) {
  return expected == got ? Status::Ok() : shape_error(c, what, expected, got);
}

// Product of the dimensions [from, to).
inline int64_t span(const Shape& shape, int from, int to) {
  int64_t n = 1;
  for (int i = from; i < to; ++i) n *= shape[i];
  return n;
}

// Strides, in elements, of a dense tensor.
inline void dense_strides(const Shape& shape, int64_t* strides) {
  int64_t stride = 1;
  for (int i = shape.rank - 1; i >= 0; --i) {
    strides[i] = stride;
    stride *= shape[i];
  }
}

}  // namespace octavo::ops
