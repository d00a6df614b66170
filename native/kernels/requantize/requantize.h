// The one definition of requantization, shared by the scalar kernels and by the epilogues that leave the
// integer kernels: clamp(rint(f32(acc) * m), lo, hi) + zero_point, with the clamp in float.
#pragma once

#include <cfloat>
#include <cstdint>

namespace octavo {

// From the accumulators of one output to 8 bits. `lo` and `hi` are the bounds of the output minus its zero point.
struct Requantize {
  float lo = 0;
  float hi = 0;
  int32_t zero_point = 0;
  // No product of an int32 and a multiplier leaves the range of int32 (each is below 1/2): the clamp may as well
  // follow the conversion.
  bool fits_int32 = false;
  // What the weights say of all sums of a step: no product with the multiplier leaves kInt16Bound; that, and no sum
  // leaves kExactBound, so that it is a float without rounding, found by an addition.
  bool fits_int16 = false;
  bool exact_float = false;

  static constexpr double kInt16Bound = 32000, kExactBound = 4194303;
};

// A residual that is added to a requantized value, both less their zero points (docs/steps.md, QBinary add):
// clamp(rint(ra * q + rb * (residual - zb) + odd), lo, hi) + even, where odd + even is the zero point of the sum.
struct ResidualAdd {
  float ra = 0, rb = 0, odd = 0;
  float lo = 0, hi = 0;  // bounds of the sum, less `even`
  int32_t zb = 0, even = 0;
  bool is_signed = false;   // the residual's bytes
  bool fits_int32 = false;  // no sum leaves the range of int32
  bool fits_int16 = false;  // nor [-Requantize::kInt16Bound, kInt16Bound]
};

// Adding and subtracting 1.5 * 2^23 rounds to the nearest integer, ties to even, for |v| < 2^22: bounds are at
// most 255 apart from zero points. The only rounding that ARMv7 NEON can do, so the definition for all.
constexpr float kRoundMagic = 12582912.0f;

static inline float round_half_even(float v) { return (v + kRoundMagic) - kRoundMagic; }

static inline float clamp_float(float v, float lo, float hi) {
  v = v > lo ? v : lo;
  return v < hi ? v : hi;
}

static inline int32_t requantize_one(int32_t acc, float multiplier, const Requantize& r) {
  return static_cast<int32_t>(round_half_even(clamp_float(static_cast<float>(acc) * multiplier, r.lo, r.hi))) +
         r.zero_point;
}

static inline int32_t add_residual_one(int32_t q, uint8_t residual, const ResidualAdd& p) {
  const float b = static_cast<float>((p.is_signed ? static_cast<int8_t>(residual) : residual) - p.zb);
  const float sum = (p.ra * static_cast<float>(q) + p.rb * b) + p.odd;
  return static_cast<int32_t>(round_half_even(clamp_float(sum, p.lo, p.hi))) + p.even;
}

// Subnormal scales count as zero on every CPU, whatever mode its FPU is in.
static inline float flush_subnormal(float v) { return v > -FLT_MIN && v < FLT_MIN ? 0.0f : v; }

}  // namespace octavo
