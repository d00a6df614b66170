#include "kernels/math/precise.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace octavo {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kPi = 3.14159265358979323846;
// ln 2 and pi/2 in parts whose first have so few bits that their products with an integer are exact (Cody and Waite).
constexpr double kLn2High = 0.6931471803691238, kLn2Low = 1.9082149292705877e-10;

uint64_t to_bits(double x) {
  uint64_t b;
  std::memcpy(&b, &x, 8);
  return b;
}
double of_bits(uint64_t b) {
  double x;
  std::memcpy(&x, &b, 8);
  return x;
}
double power_of_two(int n) { return of_bits(static_cast<uint64_t>(n + 1023) << 52); }

// exp(r) - 1 for |r| < 0.35: the Taylor series, whose term of degree 14 is below half a unit.
double expm1_small(double r) {
  double sum = 1.0 / 6227020800.0;
  constexpr double inverse_factorials[] = {1.0 / 479001600.0,
                                           1.0 / 39916800.0,
                                           1.0 / 3628800.0,
                                           1.0 / 362880.0,
                                           1.0 / 40320.0,
                                           1.0 / 5040.0,
                                           1.0 / 720.0,
                                           1.0 / 120.0,
                                           1.0 / 24.0,
                                           1.0 / 6.0,
                                           0.5};
  for (double c : inverse_factorials) sum = sum * r + c;
  return r + r * r * sum;
}

struct Reduced {
  double r;
  int quadrant;
};

// 2/pi in overlapping words, 8 bits apart, for arguments that Cody and Waite cannot reduce
// (Payne and Hanek; the layout of Arm's optimized-routines).
constexpr uint32_t kTwoOverPi[24] = {0x000000a2, 0x0000a2f9, 0x00a2f983, 0xa2f9836e, 0xf9836e4e, 0x836e4e44,
                                     0x6e4e4415, 0x4e441529, 0x441529fc, 0x1529fc27, 0x29fc2757, 0xfc2757d1,
                                     0x2757d1f5, 0x57d1f534, 0xd1f534dd, 0xf534ddc0, 0x34ddc0db, 0xddc0db62,
                                     0xc0db6295, 0xdb629599, 0x6295993c, 0x95993c43, 0x993c4390, 0x3c439041};

Reduced reduce_large(float x) {
  uint32_t xi;
  std::memcpy(&xi, &x, 4);
  const bool negative = (xi >> 31) != 0;
  const uint32_t* words = &kTwoOverPi[(xi >> 26) & 15];
  const int shift = (xi >> 23) & 7;
  const uint32_t mantissa = ((xi & 0xffffff) | 0x800000) << shift;
  uint64_t high = static_cast<uint64_t>(static_cast<uint32_t>(mantissa * words[0])) << 32;
  const uint64_t middle = static_cast<uint64_t>(mantissa) * words[4];
  const uint64_t low = static_cast<uint64_t>(mantissa) * words[8];
  high = (high | (low >> 32)) + middle;
  const uint64_t n = (high + (1ULL << 61)) >> 62;
  high -= n << 62;
  const double r = static_cast<double>(static_cast<int64_t>(high)) * 3.4061215800865545e-19;  // pi / 2^63
  const int quadrant = static_cast<int>(n & 3);
  return negative ? Reduced{-r, (4 - quadrant) & 3} : Reduced{r, quadrant};
}

// x as r + quadrant * pi/2, |r| <= pi/4. Beyond 2^20 the argument is taken as a float.
Reduced reduce(double x) {
  if (!(std::fabs(x) < kInf)) return {kNan, 0};
  if (std::fabs(x) > 1048576.0) {
    const float f = static_cast<float>(x);
    return std::fabs(f) < std::numeric_limits<float>::infinity() ? reduce_large(f) : Reduced{kNan, 0};
  }
  const double n = precise_rint(x * 0.6366197723675814);
  const double r = ((x - n * 1.5707963267341256) - n * 6.07710050359346e-11) - n * 2.912732056093356e-20;
  return {r, static_cast<int>(static_cast<int64_t>(n) & 3)};
}

double sin_small(double x) {
  const double z = x * x;
  double s = 1.0 / 355687428096000.0;
  constexpr double c[] = {-1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800.0, 1.0 / 362880.0,
                          -1.0 / 5040.0,          1.0 / 120.0,        -1.0 / 6.0};
  for (double k : c) s = s * z + k;
  return x + x * z * s;
}

double cos_small(double x) {
  const double z = x * x;
  double s = 1.0 / 20922789888000.0;
  constexpr double c[] = {
      -1.0 / 87178291200.0, 1.0 / 479001600.0, -1.0 / 3628800.0, 1.0 / 40320.0, -1.0 / 720.0, 1.0 / 24.0, -0.5};
  for (double k : c) s = s * z + k;
  return 1.0 + z * s;
}

}  // namespace

double precise_rint(double x) {
  constexpr double kTwo52 = 4503599627370496.0;
  const double magnitude = std::fabs(x);
  if (!(magnitude < kTwo52)) return x;
  const volatile double shifted = magnitude + kTwo52;
  return std::copysign(shifted - kTwo52, x);
}

// Long division: y with the exponent of the rest is taken away while it fits; every difference is exact.
double precise_fmod(double x, double y) {
  double rest = std::fabs(x);
  const double divisor = std::fabs(y);
  if (x != x || y != y || rest == kInf || divisor == 0) return kNan;
  if (divisor == kInf) return x;
  const uint64_t mantissa = to_bits(divisor) & 0xfffffffffffffULL;
  while (rest >= divisor) {
    const uint64_t exponent = to_bits(rest) & 0x7ff0000000000000ULL;
    double part = of_bits(mantissa | exponent);
    if (part > rest) part = of_bits(mantissa | (exponent - 0x0010000000000000ULL));
    if (part < divisor) part = divisor;  // a divisor below the normal numbers
    rest -= part;
  }
  return std::copysign(rest, x);
}

double precise_exp(double x) {
  if (x != x) return x;
  if (x > 709.782712893384) return kInf;
  if (x < -708.3964185322641) return 0.0;  // subnormal results are flushed
  const double n = precise_rint(x * 1.4426950408889634);
  const double r = (x - n * kLn2High) - n * kLn2Low;
  const int k = static_cast<int>(n);
  const double y = 1.0 + expm1_small(r);
  return y * power_of_two(k / 2) * power_of_two(k - k / 2);
}

double precise_expm1(double x) { return std::fabs(x) < 0.34 ? expm1_small(x) : precise_exp(x) - 1.0; }

double precise_log(double x) {
  if (x != x || x == kInf) return x;
  if (x < 0) return kNan;
  if (x < std::numeric_limits<double>::min()) return -kInf;  // zero, and subnormals flushed
  uint64_t b = to_bits(x);
  int e = static_cast<int>(b >> 52) - 1023;
  double m = of_bits((b & 0xfffffffffffffULL) | (1023ULL << 52));
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++e;
  }
  const double s = (m - 1.0) / (m + 1.0), z = s * s;  // log m = 2 atanh s
  double sum = 0;
  for (int k = 23; k >= 3; k -= 2) sum = sum * z + 1.0 / k;
  return e * kLn2High + (e * kLn2Low + (2.0 * s + 2.0 * s * z * sum));
}

double precise_log1p(double x) {
  const double u = 1.0 + x;
  if (u == 1.0) return x;
  if (!(u < kInf)) return precise_log(u);
  return precise_log(u) * (x / (u - 1.0));
}

double precise_pow(double x, double y) {
  if (y == 0 || x == 1) return 1;
  if (x != x || y != y) return kNan;
  const double magnitude = std::fabs(x);
  if (std::fabs(y) == kInf) {
    if (magnitude == 1) return 1;
    return (magnitude > 1) == (y > 0) ? kInf : 0.0;
  }
  const bool integral = precise_rint(y) == y;
  const bool odd = integral && std::fabs(y) < 9007199254740992.0 && (static_cast<int64_t>(y) & 1) != 0;
  const double sign = odd && std::signbit(x) ? -1.0 : 1.0;
  if (magnitude == 0) return y > 0 ? sign * 0.0 : sign * kInf;
  if (magnitude == kInf) return y > 0 ? sign * kInf : sign * 0.0;
  if (x < 0 && !integral) return kNan;
  if (integral && std::fabs(y) <= 64) {  // by squaring: exact where the result is
    double result = 1, base = magnitude;
    for (int n = static_cast<int>(std::fabs(y)); n != 0; n >>= 1, base *= base)
      if (n & 1) result *= base;
    return sign * (y < 0 ? 1.0 / result : result);
  }
  if (y == 0.5) return std::sqrt(magnitude);
  return sign * precise_exp(y * precise_log(magnitude));
}

double precise_sin(double x) {
  const Reduced a = reduce(x);
  const double v = a.quadrant & 1 ? cos_small(a.r) : sin_small(a.r);
  return a.quadrant & 2 ? -v : v;
}

double precise_cos(double x) {
  const Reduced a = reduce(x);
  const double v = a.quadrant & 1 ? sin_small(a.r) : cos_small(a.r);
  return a.quadrant == 1 || a.quadrant == 2 ? -v : v;
}

double precise_tan(double x) {
  const Reduced a = reduce(x);
  const double s = sin_small(a.r), c = cos_small(a.r);
  return a.quadrant & 1 ? -c / s : s / c;
}

double precise_atan(double x) {
  if (x != x) return x;
  double a = std::fabs(x), offset = 0;
  const bool inverted = a > 1;
  if (inverted) a = 1.0 / a;
  if (a > 0.2679491924311227) {  // tan(pi / 12): atan a = pi/6 + atan((sqrt 3 a - 1) / (sqrt 3 + a))
    a = (1.7320508075688772 * a - 1.0) / (1.7320508075688772 + a);
    offset = kPi / 6;
  }
  const double z = a * a;
  double sum = 0;
  for (int k = 31; k >= 3; k -= 2) sum = sum * z + ((k & 2) ? -1.0 / k : 1.0 / k);
  double r = offset + (a + a * z * sum);
  if (inverted) r = kPi / 2 - r;
  return std::copysign(r, x);
}

double precise_asin(double x) {
  if (!(std::fabs(x) <= 1)) return kNan;
  return std::fabs(x) == 1 ? std::copysign(kPi / 2, x) : precise_atan(x / std::sqrt((1 - x) * (1 + x)));
}

double precise_acos(double x) {
  if (!(std::fabs(x) <= 1)) return kNan;
  return x == -1 ? kPi : 2 * precise_atan(std::sqrt((1 - x) / (1 + x)));
}

double precise_sinh(double x) {
  const double a = std::fabs(x);
  if (a < 0.34) {
    const double z = x * x;
    return x + x * z *
                   (1.0 / 6 +
                    z * (1.0 / 120 + z * (1.0 / 5040 + z * (1.0 / 362880 + z * (1.0 / 39916800 + z / 6227020800.0)))));
  }
  const double half = precise_exp(a / 2);  // halved: exp(a) may overflow before sinh(a) does
  const double r = a > 40 ? 0.5 * half * half : 0.5 * (half * half - 1.0 / (half * half));
  return std::copysign(r, x);
}

double precise_cosh(double x) {
  const double a = std::fabs(x), half = precise_exp(a / 2);
  return a > 40 ? 0.5 * half * half : 0.5 * (half * half + 1.0 / (half * half));
}

double precise_tanh(double x) {
  const double a = std::fabs(x);
  if (a > 22) return std::copysign(1.0, x);
  const double e = precise_expm1(2 * a);
  return std::copysign(e / (e + 2), x);
}

double precise_asinh(double x) {
  const double a = std::fabs(x);
  if (!(a < kInf)) return x;
  const double r =
      a > 1e8 ? precise_log(a) + kLn2High + kLn2Low : precise_log1p(a + a * a / (1 + std::sqrt(a * a + 1)));
  return std::copysign(r, x);
}

double precise_acosh(double x) {
  if (!(x >= 1)) return kNan;
  if (x > 1e8) return precise_log(x) + kLn2High + kLn2Low;
  const double t = x - 1;
  return precise_log1p(t + std::sqrt(2 * t + t * t));
}

double precise_atanh(double x) {
  const double a = std::fabs(x);
  if (!(a <= 1)) return kNan;
  return std::copysign(0.5 * precise_log1p(2 * a / (1 - a)), x);
}

// 2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (2n+1)!! (DLMF 7.6.2): all terms have one sign, nothing cancels.
double precise_erf(double x) {
  if (x != x) return x;
  const double a = std::fabs(x);
  if (a > 6) return std::copysign(1.0, x);
  double term = a, sum = a;
  for (int n = 1; n < 200 && term > sum * 1e-18; ++n) {
    term *= 2 * a * a / (2 * n + 1);
    sum += term;
  }
  return std::copysign(1.1283791670955126 * precise_exp(-a * a) * sum, x);
}

}  // namespace octavo
