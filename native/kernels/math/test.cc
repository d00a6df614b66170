// Every compiled instruction set against the scalar code bit for bit, and the scalar code against libm.
#include "kernels/math/math.h"

#include <cmath>
#include <limits>
#include <vector>

#include "cpu/float_mode.h"
#include "cpu/isa.h"
#include "kernels/math/precise.h"
#include "test/check.h"
#include "test/vector_sizes.h"

namespace octavo {

#define OCTAVO_TABLE MathKernels
#define OCTAVO_TABLES "kernels/math/kernels.inc"
#include "kernels/tables.inc"

namespace {

std::vector<float> arguments() {
  std::vector<float> x = test::awkward_floats();
  test::Random random(1);
  for (int i = 0; i < 3000; ++i) x.push_back(random.real(-1, 1));
  for (int i = 0; i < 3000; ++i) x.push_back(random.real(-20, 20));
  for (int i = 0; i < 3000; ++i) x.push_back(random.real(-110, 110));
  for (int i = 0; i < 3000; ++i) {
    const float mantissa = random.real(-2, 2);
    x.push_back(std::ldexp(mantissa, static_cast<int>(random.between(-120, 120))));
  }
  return x;
}

// Distance in units of the last place of the exact value. Subnormals count as zero.
double ulps(float got, double want) {
  constexpr double kSmallest = std::numeric_limits<float>::min();
  if (std::isnan(want)) return std::isnan(got) ? 0 : 1e9;
  if (std::isinf(static_cast<float>(want)))
    return got == static_cast<float>(want) || std::fabs(got) > 3.402e38f ? 0 : 1e9;
  if (std::fabs(want) < kSmallest) return std::fabs(got) <= kSmallest ? 0 : 1e9;
  int exponent;
  std::frexp(want, &exponent);
  return std::fabs(static_cast<double>(got) - want) / std::ldexp(1.0, exponent - 24);
}

template <class F>
void expect_accuracy(VectorFunction f, F exact, double bound, const char* name) {
  std::vector<float> x = arguments();
  const int64_t n = static_cast<int64_t>(x.size());
  std::vector<float> y(x.size());
  x.resize(x.size() + 16);
  const float p[2] = {1, 1};
  math_kernels().apply(f, x.data(), y.data(), n, p);
  double worst = 0;
  float at = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (x[i] != 0 && std::fabs(x[i]) < 1e-36f) continue;  // products with such arguments are flushed
    const double distance = ulps(y[i], exact(static_cast<double>(x[i])));
    if (distance > worst) {
      worst = distance;
      at = x[i];
    }
  }
  if (worst > bound)
    test::fail(__FILE__, __LINE__,
               std::string(name) + " is off by " + std::to_string(worst) + " ulp at " + std::to_string(at));
}

}  // namespace

TEST(math_every_instruction_set_gives_the_bits_of_scalar) {
  const FlushSubnormals mode;
  const std::vector<float> x = arguments();
  for (const MathKernels* kernels : kTables) {
    if (!isa_supported(kernels->isa)) continue;
    for (int f = 0; f < static_cast<int>(VectorFunction::kCount); ++f) {
      for (size_t n : test::vector_sizes(x.size())) {
        const float p[2] = {0.3f, 1.7f};
        test::Array<float> in(n), want(n), got(n);
        for (size_t i = 0; i < n; ++i) in[i] = x[x.size() - 1 - i];
        math_scalar.apply(static_cast<VectorFunction>(f), in.data(), want.data(), static_cast<int64_t>(n), p);
        kernels->apply(static_cast<VectorFunction>(f), in.data(), got.data(), static_cast<int64_t>(n), p);
        EXPECT(got.intact());
        test::expect_same_floats(
            got.data(), want.data(), n,
            std::string(isa_name(kernels->isa)) + " function " + std::to_string(f) + " of " + std::to_string(n),
            __FILE__, __LINE__);
      }
    }
  }
}

// FNV-1a over all results: one number for all architectures, which this source states.
TEST(math_gives_the_same_bits_on_every_architecture) {
  const FlushSubnormals mode;
  std::vector<float> x = arguments();
  const int64_t n = static_cast<int64_t>(x.size());
  x.resize(x.size() + kReadSlack / sizeof(float));
  std::vector<float> y(x.size());
  uint64_t hash = 14695981039346656037ull;
  for (int f = 0; f < static_cast<int>(VectorFunction::kCount); ++f) {
    const float p[2] = {0.3f, 1.7f};
    math_kernels().apply(static_cast<VectorFunction>(f), x.data(), y.data(), n, p);
    for (int64_t i = 0; i < n; ++i) {
      uint32_t bits;
      std::memcpy(&bits, &y[static_cast<size_t>(i)], 4);
      if (std::isnan(y[static_cast<size_t>(i)])) bits = 0x7fc00000;
      hash = (hash ^ bits) * 1099511628211ull;
    }
  }
  double (*const precise[])(double) = {precise_exp,   precise_expm1, precise_log,  precise_log1p, precise_sin,
                                       precise_cos,   precise_tan,   precise_asin, precise_acos,  precise_atan,
                                       precise_sinh,  precise_cosh,  precise_tanh, precise_asinh, precise_acosh,
                                       precise_atanh, precise_erf};
  for (const auto f : precise)
    for (int64_t i = 0; i < n; ++i) {
      const double value = f(x[static_cast<size_t>(i)]);
      uint64_t bits;
      std::memcpy(&bits, &value, 8);
      if (std::isnan(value)) bits = 0x7ff8000000000000;
      hash = (hash ^ bits) * 1099511628211ull;
    }
  EXPECT_EQ(hash, uint64_t{627479742914498732});
}

TEST(math_is_accurate) {
  using V = VectorFunction;
  expect_accuracy(V::kExp, [](double x) { return std::exp(x); }, 2, "exp");
  expect_accuracy(V::kLog, [](double x) { return std::log(x); }, 2, "log");
  expect_accuracy(V::kTanh, [](double x) { return std::tanh(x); }, 2, "tanh");
  expect_accuracy(V::kErf, [](double x) { return std::erf(x); }, 2, "erf");
  expect_accuracy(V::kSigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, 3, "sigmoid");
  expect_accuracy(V::kSoftplus, [](double x) { return x > 30 ? x : std::log1p(std::exp(x)); }, 3, "softplus");
}

TEST(precise_functions_are_accurate) {
  const struct {
    const char* name;
    double (*own)(double);
    double (*libm)(double);
    double reach;
  } functions[] = {{"exp", precise_exp, std::exp, 700},       {"expm1", precise_expm1, std::expm1, 20},
                   {"log", precise_log, std::log, 1e30},      {"log1p", precise_log1p, std::log1p, 100},
                   {"sin", precise_sin, std::sin, 1e5},       {"cos", precise_cos, std::cos, 1e5},
                   {"tan", precise_tan, std::tan, 1e5},       {"asin", precise_asin, std::asin, 1},
                   {"acos", precise_acos, std::acos, 1},      {"atan", precise_atan, std::atan, 1e3},
                   {"sinh", precise_sinh, std::sinh, 80},     {"cosh", precise_cosh, std::cosh, 80},
                   {"tanh", precise_tanh, std::tanh, 20},     {"asinh", precise_asinh, std::asinh, 1e9},
                   {"acosh", precise_acosh, std::acosh, 1e9}, {"atanh", precise_atanh, std::atanh, 1},
                   {"erf", precise_erf, std::erf, 7}};
  test::Random random(2);
  for (const auto& f : functions)
    for (int i = 0; i < 20000; ++i) {
      const double x = static_cast<double>(random.real(-1, 1)) * f.reach * (i % 2 ? 1 : 1e-3);
      const double want = f.libm(x), got = f.own(x);
      const bool same = std::isnan(want) ? std::isnan(got) : std::fabs(got - want) <= 1e-10 * std::fabs(want) + 1e-300;
      if (!same) {
        test::fail(__FILE__, __LINE__,
                   std::string(f.name) + "(" + std::to_string(x) + ") is " + std::to_string(got) + ", expected " +
                       std::to_string(want));
        break;
      }
    }
  // Large arguments are reduced exactly.
  for (float x : {1e7f, 1e10f, 1e20f, 3e38f, -1e15f}) {
    EXPECT(std::fabs(precise_sin(x) - std::sin(static_cast<double>(x))) < 1e-12);
    EXPECT(std::fabs(precise_cos(x) - std::cos(static_cast<double>(x))) < 1e-12);
  }
}

TEST(precise_pow_and_fmod_keep_the_special_cases) {
  const double inf = HUGE_VAL;
  const double values[] = {0.0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 2.5, 1e10, inf, -inf, NAN, 65, -66};
  for (double x : values)
    for (double y : values) {
      const double want = std::pow(x, y), got = precise_pow(x, y);
      const bool same = std::isnan(want)                ? std::isnan(got)
                        : std::isinf(want) || want == 0 ? got == want && std::signbit(got) == std::signbit(want)
                                                        : std::fabs(got - want) <= 1e-12 * std::fabs(want);
      if (!same)
        test::fail(__FILE__, __LINE__,
                   "pow(" + std::to_string(x) + ", " + std::to_string(y) + ") is " + std::to_string(got));
      const double rest = std::fmod(x, y), own = precise_fmod(x, y);
      if (!(std::isnan(rest) ? std::isnan(own) : rest == own))
        test::fail(__FILE__, __LINE__,
                   "fmod(" + std::to_string(x) + ", " + std::to_string(y) + ") is " + std::to_string(own));
    }
}

}  // namespace octavo
