// What statistics steps keep in their state: float64 words, zero at first.
// Generated from lib/statistics/record.ts by scripts/gen-records.mjs.
#pragma once

#include <cstdint>

namespace octavo {

// clang-format off
struct MomentsRecord {
  double* count;
  double* nonfinite;
  double* min;
  double* max;
  double* sum;
  double* sum_of_squares;

  explicit MomentsRecord(double* state)
      : count(state),
        nonfinite(state + 1),
        min(state + 2),
        max(state + 3),
        sum(state + 4),
        sum_of_squares(state + 5) {}
  static int64_t words() { return 6; }
};

struct HistogramRecord {
  double* count;
  double* nonfinite;
  double* min;
  double* max;
  double* sum;
  double* sum_of_squares;
  double* width;
  double* counts;

  explicit HistogramRecord(double* state)
      : count(state),
        nonfinite(state + 1),
        min(state + 2),
        max(state + 3),
        sum(state + 4),
        sum_of_squares(state + 5),
        width(state + 6),
        counts(state + 7) {}
  static int64_t words(int64_t bins) { return 7 + bins; }
};

struct ExtremesRecord {
  double* count;
  double* nonfinite;
  double* min;
  double* max;
  double* runs;
  double* low;
  double* high;

  explicit ExtremesRecord(double* state)
      : count(state),
        nonfinite(state + 1),
        min(state + 2),
        max(state + 3),
        runs(state + 4),
        low(state + 5),
        high(state + 6) {}
  static int64_t words() { return 7; }
};

struct ChannelExtremesRecord {
  double* count;
  double* nonfinite;
  double* counts;
  double* lows;
  double* highs;

  ChannelExtremesRecord(double* state, int64_t channels)
      : count(state),
        nonfinite(state + 1),
        counts(state + 2),
        lows(state + 2 + channels),
        highs(state + 2 + channels + channels) {}
  static int64_t words(int64_t channels) { return 2 + channels + channels + channels; }
};

struct ChannelSumsRecord {
  double* count;
  double* nonfinite;
  double* sums;

  explicit ChannelSumsRecord(double* state)
      : count(state),
        nonfinite(state + 1),
        sums(state + 2) {}
  static int64_t words(int64_t channels) { return 2 + channels; }
};

struct GramRecord {
  double* count;
  double* nonfinite;
  double* rows;
  double* products;

  explicit GramRecord(double* state)
      : count(state),
        nonfinite(state + 1),
        rows(state + 2),
        products(state + 3) {}
  static int64_t words(int64_t channels) { return 3 + channels * channels; }
};

struct SamplesRecord {
  double* count;
  double* nonfinite;
  double* rows;
  double* held;
  double* random;
  float* vectors;

  explicit SamplesRecord(double* state)
      : count(state),
        nonfinite(state + 1),
        rows(state + 2),
        held(state + 3),
        random(state + 4),
        vectors(reinterpret_cast<float*>(state + 5)) {}
  static int64_t words(int64_t capacity, int64_t channels) { return 5 + (capacity * channels + 1) / 2; }
};
// clang-format on

}  // namespace octavo
