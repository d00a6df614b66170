// One lane in plain C++: what the other headers of this folder have to equal bit for bit.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace octavo {
namespace {

constexpr int kLanes = 1;
struct F32 {
  float v;
};
struct I32 {
  int32_t v;
};
struct M32 {
  bool v;
};

inline F32 splat(float x) { return {x}; }
inline I32 splat(int32_t x) { return {x}; }
inline F32 load(const float* p) { return {*p}; }
inline void store(float* p, F32 a) { *p = a.v; }
inline I32 load_i32(const int32_t* p) { return {*p}; }
inline void store(int32_t* p, I32 a) { *p = a.v; }
inline I32 load_u8(const uint8_t* p) { return {*p}; }
inline I32 load_i8(const uint8_t* p) { return {static_cast<int8_t>(*p)}; }
// The low byte of every lane.
inline void store_bytes(uint8_t* p, I32 a) { *p = static_cast<uint8_t>(a.v); }

inline F32 operator+(F32 a, F32 b) { return {a.v + b.v}; }
inline F32 operator-(F32 a, F32 b) { return {a.v - b.v}; }
inline F32 operator*(F32 a, F32 b) { return {a.v * b.v}; }
inline F32 operator/(F32 a, F32 b) { return {a.v / b.v}; }
inline F32 max(F32 a, F32 b) { return {a.v > b.v ? a.v : b.v}; }
inline F32 min(F32 a, F32 b) { return {a.v < b.v ? a.v : b.v}; }
inline F32 sqrt(F32 a) { return {std::sqrt(a.v)}; }

inline M32 operator<(F32 a, F32 b) { return {a.v < b.v}; }
inline M32 operator<=(F32 a, F32 b) { return {a.v <= b.v}; }
inline M32 operator==(F32 a, F32 b) { return {a.v == b.v}; }
inline F32 select(M32 m, F32 a, F32 b) { return m.v ? a : b; }
inline I32 select(M32 m, I32 a, I32 b) { return m.v ? a : b; }

inline I32 bits(F32 a) {
  I32 r;
  std::memcpy(&r.v, &a.v, 4);
  return r;
}
inline F32 from_bits(I32 a) {
  F32 r;
  std::memcpy(&r.v, &a.v, 4);
  return r;
}
inline F32 to_float(I32 a) { return {static_cast<float>(a.v)}; }
inline I32 to_int(F32 a) { return {static_cast<int32_t>(a.v)}; }

inline int32_t wrap32(uint32_t a) {
  int32_t r;
  std::memcpy(&r, &a, 4);
  return r;
}
inline I32 operator+(I32 a, I32 b) { return {wrap32(static_cast<uint32_t>(a.v) + static_cast<uint32_t>(b.v))}; }
inline I32 operator-(I32 a, I32 b) { return {wrap32(static_cast<uint32_t>(a.v) - static_cast<uint32_t>(b.v))}; }
inline I32 operator*(I32 a, I32 b) { return {wrap32(static_cast<uint32_t>(a.v) * static_cast<uint32_t>(b.v))}; }
inline I32 operator&(I32 a, I32 b) { return {a.v & b.v}; }
inline I32 operator|(I32 a, I32 b) { return {a.v | b.v}; }
inline M32 operator<(I32 a, I32 b) { return {a.v < b.v}; }
inline I32 max(I32 a, I32 b) { return {a.v > b.v ? a.v : b.v}; }
inline I32 min(I32 a, I32 b) { return {a.v < b.v ? a.v : b.v}; }
template <int n>
inline I32 shift_left(I32 a) {
  return {wrap32(static_cast<uint32_t>(a.v) << n)};
}
template <int n>
inline I32 shift_right(I32 a) {
  return {a.v >> n};
}  // arithmetic

template <int n>
inline F32 shift_down(F32 a) {
  return a;
}

// Adding and taking away 2^23 leaves an integer, rounded half to even by the addition itself; no library call.
inline F32 rint(F32 a) {
  const float magnitude = std::fabs(a.v);
  if (!(magnitude < 8388608.0f)) return a;
  const volatile float shifted = magnitude + 8388608.0f;  // volatile: not to be folded by a compiler in a fast mode
  return {std::copysign(shifted - 8388608.0f, a.v)};
}

}  // namespace
}  // namespace octavo
