// OneHot: values[1] where the index stands along `axis`, values[0] elsewhere; an index outside of [-depth, depth) marks
// nothing.
#include "ops/move/copy_elements.h"
#include "ops/support/op_support.h"
#include "ops/move/strided_copy.h"

namespace octavo {
namespace {

template <class T>
bool read_index(const void* indices, int64_t i, int64_t* value) {
  const T raw = static_cast<const T*>(indices)[i];
  if constexpr (static_cast<T>(0.5) != 0) {  // a floating-point type: what does not fit (NaN too) marks nothing
    if (!(raw > static_cast<T>(-9e18) && raw < static_cast<T>(9e18))) return false;
  }
  *value = static_cast<int64_t>(raw);
  return true;
}

using IndexFn = bool (*)(const void*, int64_t, int64_t*);
IndexFn index_function(DType type) {
  switch (type) {
    case DType::kInt64: return read_index<int64_t>;
    case DType::kInt32: return read_index<int32_t>;
    case DType::kInt16: return read_index<int16_t>;
    case DType::kInt8: return read_index<int8_t>;
    case DType::kUint8: return read_index<uint8_t>;
    case DType::kUint16: return read_index<uint16_t>;
    case DType::kUint32: return read_index<uint32_t>;
    case DType::kFloat32: return read_index<float>;
    case DType::kFloat64: return read_index<double>;
    default: return nullptr;
  }
}

struct Attributes {
  int64_t axis = 0;
  Status load(const LoadContext& c) {
    axis = c.integer("axis", 0);
    return Status::Ok();
  }
};

class OneHot final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    const Shape &indices = c.in(0), &out = c.out(0);
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 1, &width_));
    read_ = index_function(c.in_type(0));
    if (read_ == nullptr)
      return c.error(Code::kUnsupported, std::string("indices of type ") + dtype_name(c.in_type(0)));
    if (c.in(1).elements() != 2) return c.error(Code::kShape, "expected two values, got " + ops::dims_text(c.in(1)));
    if (out.rank != indices.rank + 1 || a.axis < 0 || a.axis >= out.rank)
      return c.error(Code::kShape, "axis " + std::to_string(a.axis) + ", indices " + ops::dims_text(indices) +
                                       ", output " + ops::dims_text(out));
    const int axis = static_cast<int>(a.axis);
    for (int i = 0; i < indices.rank; ++i)
      if (out[i < axis ? i : i + 1] != indices[i]) return ops::shape_error(c, "output but for its axis", indices, out);
    depth_ = out[axis];
    outer_ = ops::span(indices, 0, axis);
    inner_ = ops::span(indices, axis, indices.rank);
    const ops::CopyAxis all = {out.elements(), 0, 1};
    fill_.plan(&all, 1, width_);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const uint8_t* values = c.in<uint8_t>(1);
    uint8_t* y = c.out<uint8_t>(0);
    fill_.run(values, y, c.pool());
    for (int64_t o = 0; o < outer_; ++o) {
      for (int64_t i = 0; i < inner_; ++i) {
        int64_t index;
        if (!read_(c.input(0), o * inner_ + i, &index) || index < -depth_ || index >= depth_) continue;
        if (index < 0) index += depth_;
        ops::copy_bytes(y + ((o * depth_ + index) * inner_ + i) * static_cast<int64_t>(width_), values + width_,
                        width_);
      }
    }
    return Status::Ok();
  }

 private:
  size_t width_ = 0;
  IndexFn read_ = nullptr;
  int64_t depth_ = 0, outer_ = 0, inner_ = 0;
  ops::StridedCopy fill_;
};

}  // namespace

Status make_one_hot(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, OneHot>(c, op); }

}  // namespace octavo
