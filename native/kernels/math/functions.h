// exp, log, tanh, erf and what is made of them, on the vectors of simd/: branch-free float32, no fused multiply-add,
// so the same bits on every instruction set. Within 2 units of the last place over the whole range for exp, log, tanh,
// erf (math/test.cc measures); subnormal results are flushed to zero. The polynomials of exp, log and tanh are those
// of Cephes (S. Moshier, expf.c, logf.c, tanhf.c), that of erf is N. Juffa's.
#pragma once

#include "simd/vec.h"

namespace octavo {
namespace {

inline F32 abs(F32 x) { return from_bits(bits(x) & splat(0x7fffffff)); }
inline F32 negate(F32 x) { return from_bits(bits(x) + splat(INT32_MIN)); }  // flips the top bit
inline F32 copy_sign(F32 magnitude, F32 sign) {
  return from_bits((bits(magnitude) & splat(0x7fffffff)) | (bits(sign) & splat(INT32_MIN)));
}
inline F32 infinity() { return from_bits(splat(0x7f800000)); }
inline F32 not_a_number() { return from_bits(splat(0x7fc00000)); }
inline F32 keep_nan(F32 x, F32 y) { return select(x == x, y, x); }

// exp(r) - 1 - r for |r| <= ln(2) / 2.
inline F32 exp_tail(F32 r) {
  F32 p = splat(1.9875691500e-4f);
  p = p * r + splat(1.3981999507e-3f);
  p = p * r + splat(8.3334519073e-3f);
  p = p * r + splat(4.1665795894e-2f);
  p = p * r + splat(1.6666665459e-1f);
  p = p * r + splat(5.0000001201e-1f);
  return p * (r * r);
}

inline F32 power_of_two(I32 n) { return from_bits(shift_left<23>(n + splat(127))); }

inline F32 exp(F32 x) {
  const F32 inside = max(min(x, splat(89.0f)), splat(-88.0f));
  const F32 n = rint(inside * splat(1.44269504088896341f));
  const F32 r = (inside - n * splat(0.693359375f)) - n * splat(-2.12194440e-4f);
  const F32 y = (exp_tail(r) + r) + splat(1.0f);
  // In two steps: 2^128 is not a float, and the product of both overflows to infinity where it must.
  const I32 k = to_int(n), half = shift_right<1>(k);
  const F32 scaled = y * power_of_two(half) * power_of_two(k - half);
  return keep_nan(x, select(x < splat(-87.3365447f), splat(0.0f), scaled));
}

// The bits of exp for x <= 0 or NaN, for fewer instructions: no power of two that is no float.
inline F32 exp_down(F32 x) {
  const F32 inside = max(x, splat(-88.0f));
  const F32 n = rint(inside * splat(1.44269504088896341f));
  const F32 r = (inside - n * splat(0.693359375f)) - n * splat(-2.12194440e-4f);
  const F32 y = (exp_tail(r) + r) + splat(1.0f);
  return keep_nan(x, select(x < splat(-87.3365447f), splat(0.0f), y * power_of_two(to_int(n))));
}

inline F32 expm1(F32 x) {
  const F32 near = exp_tail(x) + x;
  return select(abs(x) < splat(0.34f), near, exp(x) - splat(1.0f));
}

inline F32 log(F32 x) {
  // m * 2^e with m in [sqrt(1/2), sqrt(2)): subtracting the bits of sqrt(1/2) puts the boundary there.
  const I32 shifted = bits(x) - splat(0x3f3504f3);
  const F32 e = to_float(shift_right<23>(shifted));
  const F32 m = from_bits((shifted & splat(0x007fffff)) + splat(0x3f3504f3));
  const F32 t = m - splat(1.0f), z = t * t;
  F32 p = splat(7.0376836292e-2f);
  p = p * t + splat(-1.1514610310e-1f);
  p = p * t + splat(1.1676998740e-1f);
  p = p * t + splat(-1.2420140846e-1f);
  p = p * t + splat(1.4249322787e-1f);
  p = p * t + splat(-1.6668057665e-1f);
  p = p * t + splat(2.0000714765e-1f);
  p = p * t + splat(-2.4999993993e-1f);
  p = p * t + splat(3.3333331174e-1f);
  F32 y = t * z * p;
  y = y + e * splat(-2.12194440e-4f);
  y = y - splat(0.5f) * z;
  y = (t + y) + e * splat(0.693359375f);
  y = select(x < splat(1.17549435e-38f), negate(infinity()), y);  // zero, and subnormals flushed
  y = select(x < splat(0.0f), not_a_number(), y);
  return keep_nan(x, select(x == infinity(), x, y));
}

// For u >= 0; the quotient undoes the rounding of 1 + u (W. Kahan).
inline F32 log1p(F32 u) {
  const F32 w = splat(1.0f) + u, d = w - splat(1.0f);
  return select(d == splat(0.0f), u, log(w) * (u / d));
}

inline F32 tanh(F32 x) {
  const F32 a = abs(x), z = x * x;
  F32 p = splat(-5.70498872745e-3f);
  p = p * z + splat(2.06390887954e-2f);
  p = p * z + splat(-5.37397155531e-2f);
  p = p * z + splat(1.33314422036e-1f);
  p = p * z + splat(-3.33332819422e-1f);
  const F32 near = p * z * x + x;
  const F32 far = splat(1.0f) - splat(2.0f) / (exp(a + a) + splat(1.0f));
  return keep_nan(x, select(a < splat(0.625f), near, copy_sign(far, x)));
}

inline F32 erf(F32 x) {
  const F32 a = abs(x), s = x * x;
  F32 r = splat(-1.72853470e-5f) * a + splat(3.83197126e-4f);
  const F32 u = splat(-3.88396438e-3f) * a + splat(2.42546219e-2f);
  r = r * s + u;
  r = r * a + splat(-1.06777877e-1f);
  r = r * a + splat(-6.34846687e-1f);
  r = r * a + splat(-1.28717512e-1f);
  r = r * a - a;
  // Where erf is not this, r may be anything.
  const F32 far = splat(1.0f) - exp_down(r);
  F32 q = splat(-5.96761703e-4f);
  q = q * s + splat(4.99119423e-3f);
  q = q * s + splat(-2.67681349e-2f);
  q = q * s + splat(1.12819925e-1f);
  q = q * s + splat(-3.76125336e-1f);
  q = q * s + splat(1.28379166e-1f);
  const F32 near = q * x + x;
  // Beyond 4 the polynomial may turn: erf is 1 there.
  const F32 y = select(splat(4.0f) < a, splat(1.0f), far);
  return keep_nan(x, select(splat(0.927734375f) < a, copy_sign(y, x), near));
}

inline F32 sigmoid(F32 x) { return splat(1.0f) / (splat(1.0f) + exp(negate(x))); }

inline F32 relu(F32 x) { return keep_nan(x, max(x, splat(0.0f))); }
inline F32 clip(F32 x, F32 lo, F32 hi) { return keep_nan(x, min(max(x, lo), hi)); }

// log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)): no overflow, no cancellation.
inline F32 softplus(F32 x) { return keep_nan(x, max(x, splat(0.0f)) + log1p(exp(negate(abs(x))))); }

inline F32 gelu(F32 x) { return splat(0.5f) * x * (splat(1.0f) + erf(x * splat(0.707106781186547524f))); }

inline F32 gelu_tanh(F32 x) {
  const F32 inner = splat(0.797884560802865356f) * (x + splat(0.044715f) * (x * x * x));
  return splat(0.5f) * x * (splat(1.0f) + tanh(inner));
}

// x tanh(log(1 + e)) with e = exp(x), which is x n / (n + 2) with n = e (e + 2). Above 20 the quotient is 1.
inline F32 mish(F32 x) {
  const F32 e = exp(min(x, splat(20.0f))), n = e * (e + splat(2.0f));
  return keep_nan(x, select(splat(20.0f) < x, x, x * (n / (n + splat(2.0f)))));
}

inline F32 swish(F32 x, F32 alpha) { return x * sigmoid(alpha * x); }
inline F32 hard_sigmoid(F32 x, F32 alpha, F32 beta) { return clip(alpha * x + beta, splat(0.0f), splat(1.0f)); }
inline F32 hard_swish(F32 x) { return x * hard_sigmoid(x, splat(1.0f / 6.0f), splat(0.5f)); }
inline F32 leaky_relu(F32 x, F32 alpha) { return select(x < splat(0.0f), alpha * x, x); }
inline F32 elu(F32 x, F32 alpha) { return select(x < splat(0.0f), alpha * expm1(x), x); }
inline F32 celu(F32 x, F32 alpha) { return select(x < splat(0.0f), alpha * expm1(x / alpha), x); }
inline F32 selu(F32 x, F32 alpha, F32 gamma) { return gamma * select(x <= splat(0.0f), alpha * expm1(x), x); }
inline F32 thresholded_relu(F32 x, F32 alpha) { return keep_nan(x, select(alpha < x, x, splat(0.0f))); }
inline F32 softsign(F32 x) { return x / (splat(1.0f) + abs(x)); }
inline F32 shrink(F32 x, F32 bias, F32 lambd) {
  return keep_nan(x, select(x < negate(lambd), x + bias, select(lambd < x, x - bias, splat(0.0f))));
}

inline F32 floor(F32 x) {
  const F32 r = rint(x);
  return copy_sign(select(x < r, r - splat(1.0f), r), x);
}
inline F32 ceil(F32 x) { return negate(floor(negate(x))); }
inline F32 sign(F32 x) {
  return keep_nan(x, select(splat(0.0f) < x, splat(1.0f), select(x < splat(0.0f), splat(-1.0f), splat(0.0f))));
}

}  // namespace
}  // namespace octavo
