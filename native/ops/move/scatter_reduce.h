// What ScatterElements and ScatterND do where an update lands: replace, or combine with what is there.
#pragma once

#include <cstring>
#include <string>
#include <type_traits>

#include "engine/op.h"
#include "ops/move/copy_elements.h"

namespace octavo::ops {

enum class Reduction { kNone, kAdd, kMul, kMax, kMin };

inline Status parse_reduction(const LoadContext& c, Reduction* reduction) {
  const std::string name = c.text("reduction", "none");
  if (name == "none") *reduction = Reduction::kNone;
  else if (name == "add") *reduction = Reduction::kAdd;
  else if (name == "mul") *reduction = Reduction::kMul;
  else if (name == "max") *reduction = Reduction::kMax;
  else if (name == "min") *reduction = Reduction::kMin;
  else return c.error(Code::kUnsupported, "expected reduction none, add, mul, max or min, got " + name);
  return Status::Ok();
}

template <class T>
T reduce_one(Reduction reduction, T a, T b) {
  switch (reduction) {
    case Reduction::kNone: return b;
    case Reduction::kMax: return a < b ? b : a;
    case Reduction::kMin: return b < a ? b : a;
    default: break;
  }
  const bool add = reduction == Reduction::kAdd;
  if constexpr (std::is_same_v<T, bool>) {
    return add ? a || b : a && b;
  } else if constexpr (std::is_integral_v<T>) {
    using U = std::conditional_t<(sizeof(T) < 4), uint32_t,
                                 std::make_unsigned_t<T>>;  // wraps; small types must not promote to int
    return static_cast<T>(add ? static_cast<U>(a) + static_cast<U>(b) : static_cast<U>(a) * static_cast<U>(b));
  } else {
    return add ? a + b : a * b;
  }
}

// y[i] = reduce(y[i], x[i]) for `count` elements.
using ReduceFn = void (*)(Reduction reduction, uint8_t* y, const uint8_t* x, int64_t count);

template <class T>
void reduce_run(Reduction reduction, uint8_t* y, const uint8_t* x, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    T a, b;
    std::memcpy(&a, y + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
    std::memcpy(&b, x + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
    a = reduce_one(reduction, a, b);
    std::memcpy(y + i * static_cast<int64_t>(sizeof(T)), &a, sizeof(T));
  }
}

// nullptr: no arithmetic on this type here.
inline ReduceFn reduce_function(DType type) {
  switch (type) {
    case DType::kFloat32: return reduce_run<float>;
    case DType::kFloat64: return reduce_run<double>;
    case DType::kInt8: return reduce_run<int8_t>;
    case DType::kUint8: return reduce_run<uint8_t>;
    case DType::kInt16: return reduce_run<int16_t>;
    case DType::kUint16: return reduce_run<uint16_t>;
    case DType::kInt32: return reduce_run<int32_t>;
    case DType::kUint32: return reduce_run<uint32_t>;
    case DType::kInt64: return reduce_run<int64_t>;
    case DType::kUint64: return reduce_run<uint64_t>;
    case DType::kBool: return reduce_run<bool>;
    default: return nullptr;
  }
}

}  // namespace octavo::ops
