// From a DType to its C++ type: with_type<Types>(dtype, f) calls f(T()) for the type of the list that it is.
#pragma once

#include <cstdint>
#include <type_traits>

#include "engine/tensor.h"

namespace octavo::ops {

template <class T>
struct TypeOf;
template <>
struct TypeOf<float> {
  static constexpr DType value = DType::kFloat32;
};
template <>
struct TypeOf<double> {
  static constexpr DType value = DType::kFloat64;
};
template <>
struct TypeOf<uint8_t> {
  static constexpr DType value = DType::kUint8;
};
template <>
struct TypeOf<int8_t> {
  static constexpr DType value = DType::kInt8;
};
template <>
struct TypeOf<uint16_t> {
  static constexpr DType value = DType::kUint16;
};
template <>
struct TypeOf<int16_t> {
  static constexpr DType value = DType::kInt16;
};
template <>
struct TypeOf<uint32_t> {
  static constexpr DType value = DType::kUint32;
};
template <>
struct TypeOf<int32_t> {
  static constexpr DType value = DType::kInt32;
};
template <>
struct TypeOf<uint64_t> {
  static constexpr DType value = DType::kUint64;
};
template <>
struct TypeOf<int64_t> {
  static constexpr DType value = DType::kInt64;
};
template <>
struct TypeOf<bool> {
  static constexpr DType value = DType::kBool;
};

template <class... T>
struct TypeList {};
using FloatTypes = TypeList<float, double>;
using IntegerTypes = TypeList<uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, uint64_t, int64_t>;
using NumberTypes = TypeList<float, double, uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, uint64_t, int64_t>;
using AllTypes =
    TypeList<float, double, uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, uint64_t, int64_t, bool>;

// False: the list has no such type.
template <class F, class... T>
bool with_type(TypeList<T...>, DType type, F f) {
  return ((type == TypeOf<T>::value && (f(T()), true)) || ...);
}

template <class... T>
bool has_type(TypeList<T...>, DType type) {
  return ((type == TypeOf<T>::value) || ...);
}

// Integer arithmetic that wraps instead of being undefined; floats are left alone. 16-bit factors would be
// promoted to int, whose overflow is undefined too: hence at least 32 bits.
template <class T, bool = std::is_integral<T>::value>
struct Wide {
  using type = T;
};
template <class T>
struct Wide<T, true> {
  using type = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
};
template <class T>
using WideType = typename Wide<T>::type;
template <class T>
T wrap_add(T a, T b) {
  return static_cast<T>(static_cast<WideType<T>>(a) + static_cast<WideType<T>>(b));
}
template <class T>
T wrap_sub(T a, T b) {
  return static_cast<T>(static_cast<WideType<T>>(a) - static_cast<WideType<T>>(b));
}
template <class T>
T wrap_mul(T a, T b) {
  return static_cast<T>(static_cast<WideType<T>>(a) * static_cast<WideType<T>>(b));
}

}  // namespace octavo::ops
