// The search for the scale of least squared error among shares of a whole one. All in float64, in the order of the
// elements.
#pragma once

#include <cstdint>
#include <limits>

namespace octavo::weights {

constexpr double kRounder = 6755399441055744.0;  // 1.5 * 2^52: added and taken away, it rounds half to even
constexpr int kTried = 6;                        // scales that are tried side by side

// Levels counted from the zero point.
struct Levels {
  double low, high;
};

// The nearest level of a number of steps.
inline double nearest(double scaled, const Levels& levels) {
  const double above = scaled > levels.low ? scaled : levels.low;
  const double within = above < levels.high ? above : levels.high;
  return within + kRounder - kRounder;
}

// Squared errors of kTried scales.
inline void squared_errors(const float* x, int64_t n, const Levels& levels, const double* scales, double* errors) {
  double factor[kTried], sum[kTried];
  for (int k = 0; k < kTried; ++k) {
    factor[k] = 1 / scales[k];
    sum[k] = 0;
  }
  for (int64_t i = 0; i < n; ++i) {
    const double v = x[i];
    for (int k = 0; k < kTried; ++k) {
      const double scaled = v * factor[k];
      const double d = scaled - nearest(scaled, levels);
      sum[k] += d * d;
    }
  }
  for (int k = 0; k < kTried; ++k) errors[k] = sum[k] * scales[k] * scales[k];
}

// The first of the shares that has the least error, and that error. `scale_of` gives the scale of a share.
struct BestShare {
  double share = 1, error = std::numeric_limits<double>::infinity();

  template <class ScaleOf>
  void consider(const float* x, int64_t n, const Levels& levels, ScaleOf scale_of, const double* shares, int count) {
    for (int at = 0; at < count; at += kTried) {
      double scales[kTried], errors[kTried];
      const int tried = count - at < kTried ? count - at : kTried;
      for (int k = 0; k < kTried; ++k) scales[k] = scale_of(shares[at + (k < tried ? k : 0)]);
      squared_errors(x, n, levels, scales, errors);
      for (int k = 0; k < tried; ++k)
        if (errors[k] < error) {
          error = errors[k];
          share = shares[at + k];
        }
    }
  }
};

// Of 16 shares down to a half, then of 8 around the best.
template <class ScaleOf>
BestShare best_share(const float* x, int64_t n, const Levels& levels, ScaleOf scale_of) {
  constexpr int kCoarse = 16, kFine = 8;
  constexpr double kLeastShare = 0.5, kStep = (1 - kLeastShare) / kCoarse;
  BestShare best;
  double shares[kCoarse + 1];
  for (int k = 0; k <= kCoarse; ++k) shares[k] = 1 - k * kStep;
  best.consider(x, n, levels, scale_of, shares, kCoarse + 1);
  const double centre = best.share;
  int count = 0;
  for (int k = 1; k <= kFine / 2; ++k) {
    const double offset = k * kStep / (kFine / 2 + 1);
    if (centre + offset <= 1) shares[count++] = centre + offset;
    shares[count++] = centre - offset;
  }
  best.consider(x, n, levels, scale_of, shares, count);
  return best;
}

}  // namespace octavo::weights
