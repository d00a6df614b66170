// Index tensors of Gather and Scatter: int32 or int64, negative ones counted from the end, all checked before any use.
#pragma once

#include <cstdint>
#include <string>

#include "engine/op.h"

namespace octavo::ops {

class Indices {
 public:
  Indices() = default;
  Indices(const void* data, DType type) : data_(data), wide_(type == DType::kInt64) {}

  static bool takes(DType type) { return type == DType::kInt32 || type == DType::kInt64; }
  static Status check_type(BindContext& c, int input) {
    if (takes(c.in_type(input))) return Status::Ok();
    return c.error(Code::kUnsupported,
                   std::string("expected int32 or int64 indices, got ") + dtype_name(c.in_type(input)));
  }

  int64_t raw(int64_t i) const {
    return wide_ ? static_cast<const int64_t*>(data_)[i] : static_cast<const int32_t*>(data_)[i];
  }
  // Of an index that was checked.
  int64_t at(int64_t i, int64_t bound) const {
    const int64_t value = raw(i);
    return value < 0 ? value + bound : value;
  }
  static Status check_one(RunContext& c, int64_t value, int64_t position, int64_t bound, int64_t axis) {
    if (value >= -bound && value < bound) return Status::Ok();
    return c.error(Code::kData, "index " + std::to_string(value) + " at position " + std::to_string(position) +
                                    " is outside of [" + std::to_string(-bound) + ", " + std::to_string(bound - 1) +
                                    "], axis " + std::to_string(axis));
  }
  Status check(RunContext& c, int64_t count, int64_t bound, int64_t axis) const {
    for (int64_t i = 0; i < count; ++i) OCTAVO_RETURN_IF_ERROR(check_one(c, raw(i), i, bound, axis));
    return Status::Ok();
  }
  // Indices [count, axes] into the axes [first, first + axes) of `shape`.
  Status check_tuples(RunContext& c, int64_t count, int axes, const Shape& shape, int first) const {
    for (int64_t i = 0; i < count; ++i)
      for (int a = 0; a < axes; ++a)
        OCTAVO_RETURN_IF_ERROR(check_one(c, raw(i * axes + a), i * axes + a, shape[first + a], first + a));
    return Status::Ok();
  }

 private:
  const void* data_ = nullptr;
  bool wide_ = true;
};

}  // namespace octavo::ops
