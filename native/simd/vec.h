// Thin vector types: F32 and I32 of kLanes lanes, M32 the mask of a comparison. One code, written over them, gives the
// same bits on every instruction set: each operation below is the IEEE operation in every lane, and
// - max(a, b) is `a > b ? a : b`, min(a, b) is `a < b ? a : b` (the second operand when one is NaN, as maxps);
// - rint rounds half to even; to_int wants |x| < 2^31 and truncates;
// - shift_down<n>(a), n a power of two below kLanes: lane i is lane i + n of a; the last n lanes are anything;
// - division and sqrt are exact everywhere (ARMv7 does them in VFP, lane by lane).
// There is no fused multiply-add on purpose. A kernel includes this header once per instruction set, hence the
// anonymous namespaces; OCTAVO_SIMD_SCALAR asks for one lane in plain C++, the specification of the others.
#pragma once

#if defined(OCTAVO_SIMD_SCALAR)
#include "simd/scalar.h"
#elif defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
#include "simd/avx512.h"
#elif defined(__AVX2__)
#include "simd/avx2.h"
#elif defined(__ARM_NEON) || defined(__ARM_NEON__)
#include "simd/neon.h"
#else
#include "simd/scalar.h"
#endif

#include <cstring>

namespace octavo {
namespace {

// The first n lanes (n <= kLanes) of what a full store would write. Loads need no such thing: every buffer of the
// engine may be read kReadSlack bytes past its end.
[[maybe_unused]] inline void store_first(float* p, F32 v, int64_t n) {
  float lanes[kLanes];
  store(lanes, v);
  std::memcpy(p, lanes, static_cast<size_t>(n) * sizeof(float));
}

[[maybe_unused]] inline void store_bytes_first(uint8_t* p, I32 v, int64_t n) {
  uint8_t lanes[kLanes < 4 ? 4 : kLanes];
  store_bytes(lanes, v);
  std::memcpy(p, lanes, static_cast<size_t>(n));
}

template <bool kSigned>
inline I32 load_bytes(const uint8_t* p) {
  if constexpr (kSigned) return load_i8(p);
  else return load_u8(p);
}

}  // namespace
}  // namespace octavo
