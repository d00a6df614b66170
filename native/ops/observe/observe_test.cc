// Every statistics step against plain loops, over several runs: NaN and infinity among the elements, sizes around the
// blocks, both layouts; the same bits for any number of threads.
#include <cmath>
#include <limits>

#include "ops/observe/records.h"
#include "test/op_fixture.h"

namespace octavo::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Half of them zeros, as after a Relu; few are not finite.
std::vector<float> values_of(size_t n, uint32_t seed, bool finite, float scale = 1) {
  std::vector<float> values(n);
  for (float& v : values) {
    seed = seed * 1664525u + 1013904223u;
    const float unit = static_cast<float>(static_cast<int32_t>(seed)) / 2147483648.0f;
    v = unit < 0 && seed % 3 == 0 ? 0 : unit * scale;
    if (!finite && seed % 97 == 5) v = seed % 2 != 0 ? kInfinity : std::nanf("");
  }
  return values;
}

std::vector<double> doubles(const double* p, int64_t n) { return std::vector<double>(p, p + n); }

bool same(const double* got, const std::vector<double>& want) {
  for (size_t i = 0; i < want.size(); ++i)
    if (got[i] != want[i]) return false;
  return true;
}

// Runs a step over inputs one after the other, into one state.
struct Runs {
  std::string op;
  std::vector<int64_t> dims;
  int64_t words;
  std::vector<std::pair<std::string, int64_t>> attributes = {};
  double momentum = 0;

  std::vector<double> state(const std::vector<std::vector<float>>& inputs, int threads) const {
    std::vector<double> state(static_cast<size_t>(words), 0.0);
    for (const std::vector<float>& x : inputs) {
      OpFixture f(op);
      f.input<float>(dims, x);
      if (momentum > 0) f.input(DType::kFloat64, {}, &momentum, sizeof momentum, true);
      f.output<double>({words}).set_threads(threads);
      for (const auto& [name, value] : attributes) f.set_integer(name, value);
      EXPECT_OK(f.load());
      EXPECT_OK(f.bind());
      std::memcpy(const_cast<double*>(f.out<double>(0)), state.data(), state.size() * sizeof(double));
      EXPECT_OK(f.run_bound());
      state = doubles(f.out<double>(0), words);
    }
    // Bits, so that zeros of both signs differ.
    if (threads != 1) {
      const std::vector<double> one = this->state(inputs, 1);
      EXPECT(std::memcmp(one.data(), state.data(), state.size() * sizeof(double)) == 0);
    }
    return state;
  }
};

int64_t elements(const std::vector<int64_t>& dims) {
  int64_t n = 1;
  for (const int64_t d : dims) n *= d;
  return n;
}

const std::vector<int64_t> kSizes = {1, 15, 16, 63, 64, 1000, 16384, 16385, 50001};

TEST(observe_moments_and_histogram) {
  for (const int64_t n : kSizes) {
    const std::vector<std::vector<float>> inputs = {values_of(static_cast<size_t>(n), 1, false),
                                                    values_of(static_cast<size_t>(n), 2, true, 300),
                                                    values_of(static_cast<size_t>(n), 3, false, 1e-20f)};
    constexpr int64_t kBins = 64;
    std::vector<double> state =
        Runs{"ObserveHistogram", {n}, HistogramRecord::words(kBins), {{"bins", kBins}}}.state(inputs, 3);
    const HistogramRecord h(state.data());
    double count = 0, nonfinite = 0, low = 0, high = 0, sum = 0, squares = 0, magnitudes = 0;
    for (const auto& x : inputs)
      for (const float v : x) {
        if (!std::isfinite(v)) {
          ++nonfinite;
          continue;
        }
        low = count == 0 ? v : std::fmin(low, static_cast<double>(v));
        high = count == 0 ? v : std::fmax(high, static_cast<double>(v));
        ++count;
        sum += v;
        squares += static_cast<double>(v) * v;
        magnitudes += std::fabs(v);
      }
    EXPECT_EQ(*h.count, count);
    EXPECT_EQ(*h.nonfinite, nonfinite);
    EXPECT_EQ(*h.min, low);
    EXPECT_EQ(*h.max, high);
    EXPECT(std::fabs(*h.sum - sum) <= 1e-12 * magnitudes);
    EXPECT(std::fabs(*h.sum_of_squares - squares) <= 1e-12 * squares);
    double width = 1.0 / (1ULL << 40);
    while (high >= kBins / 2 * width || low < -kBins / 2 * width) width *= 2;
    EXPECT_EQ(*h.width, count == 0 ? 0 : width);
    std::vector<double> counts(kBins, 0.0);
    for (const auto& x : inputs)
      for (const float v : x)
        if (std::isfinite(v)) counts[static_cast<size_t>(static_cast<int64_t>(std::floor(v / width)) + kBins / 2)] += 1;
    EXPECT(same(h.counts, counts));
    const std::vector<double> moments = Runs{"ObserveMoments", {n}, MomentsRecord::words()}.state(inputs, 3);
    EXPECT(moments == doubles(state.data(), MomentsRecord::words()));
  }
}

TEST(observe_histogram_of_extreme_values) {
  const std::vector<float> x = {
      std::numeric_limits<float>::max(), -std::numeric_limits<float>::max(), 0, -0.0f, 1e-30f, -1e-30f};
  constexpr int64_t kBins = 16;
  std::vector<double> state =
      Runs{"ObserveHistogram", {6}, HistogramRecord::words(kBins), {{"bins", kBins}}}.state({x}, 2);
  const HistogramRecord h(state.data());
  std::vector<double> counts(kBins, 0.0);
  counts[0] = counts[15] = 1;
  counts[7] = 1;  // -1e-30
  counts[8] = 3;
  EXPECT(same(h.counts, counts));
}

TEST(observe_extremes) {
  const std::vector<std::vector<float>> inputs = {{1, -2, 0.5f}, {kInfinity, std::nanf(""), -kInfinity}, {5, 4, 3}};
  const std::vector<double> state = Runs{"ObserveExtremes", {3}, ExtremesRecord::words(), {}, 0.25}.state(inputs, 2);
  // The second run saw nothing.
  EXPECT(state == std::vector<double>({6, 3, -2, 5, 2, -2 + 0.25 * 5, 1 + 0.25 * 4}));
}

TEST(observe_channels) {
  for (const auto& [dims, axis] : std::vector<std::pair<std::vector<int64_t>, int64_t>>{
           {{7, 16}, 1}, {{3, 5, 37}, 2}, {{2, 19, 3, 4}, 1}, {{2, 33, 1}, 1}, {{5, 1}, 1}, {{4, 3}, 0}}) {
    const size_t a = static_cast<size_t>(axis);
    const int64_t channels = dims[a], n = elements(dims);
    int64_t inner = 1;
    for (size_t i = a + 1; i < dims.size(); ++i) inner *= dims[i];
    const std::vector<std::vector<float>> inputs = {values_of(static_cast<size_t>(n), 4, false),
                                                    values_of(static_cast<size_t>(n), 5, true)};
    std::vector<double> sums(static_cast<size_t>(channels), 0.0), last = sums, low = sums, high = sums, counts = sums;
    double count = 0;
    for (size_t run = 0; run < inputs.size(); ++run)
      for (int64_t i = 0; i < n; ++i) {
        const double v = inputs[run][static_cast<size_t>(i)];
        const size_t c = static_cast<size_t>(i / inner % channels);
        if (!std::isfinite(v)) continue;
        sums[c] += v;
        if (run == 1) last[c] += v;
        low[c] = counts[c] == 0 ? v : std::fmin(low[c], v);
        high[c] = counts[c] == 0 ? v : std::fmax(high[c], v);
        ++counts[c];
        ++count;
      }
    std::vector<double> state =
        Runs{"ObserveChannelSums", dims, ChannelSumsRecord::words(channels), {{"channel_axis", axis}}}.state(inputs, 3);
    const ChannelSumsRecord all(state.data());
    EXPECT_EQ(*all.count, count);
    EXPECT_EQ(*all.nonfinite, 2.0 * static_cast<double>(n) - count);
    EXPECT(same(all.sums, sums));
    std::vector<double> state_of_last =
        Runs{"ObserveChannelSums", dims, ChannelSumsRecord::words(channels), {{"channel_axis", axis}, {"per_run", 1}}}
            .state(inputs, 3);
    const ChannelSumsRecord one(state_of_last.data());
    EXPECT_EQ(*one.count, static_cast<double>(n));
    EXPECT(same(one.sums, last));
    std::vector<double> extremes =
        Runs{"ObserveChannelExtremes", dims, ChannelExtremesRecord::words(channels), {{"channel_axis", axis}}}.state(
            inputs, 3);
    const ChannelExtremesRecord e(extremes.data(), channels);
    EXPECT_EQ(*e.count, count);
    EXPECT_EQ(*e.nonfinite, 2.0 * static_cast<double>(n) - count);
    EXPECT(same(e.counts, counts));
    EXPECT(same(e.lows, low));
    EXPECT(same(e.highs, high));
  }
}

TEST(observe_gram) {
  for (const auto& [dims, axis] : std::vector<std::pair<std::vector<int64_t>, int64_t>>{
           {{70, 5}, 1}, {{3, 50, 40}, 2}, {{2, 67, 3, 11}, 1}, {{1, 1}, 1}}) {
    const size_t a = static_cast<size_t>(axis);
    const int64_t k = dims[a], n = elements(dims), rows = n / k;
    int64_t inner = 1;
    for (size_t i = a + 1; i < dims.size(); ++i) inner *= dims[i];
    const std::vector<std::vector<float>> inputs = {values_of(static_cast<size_t>(n), 6, k > 5),
                                                    values_of(static_cast<size_t>(n), 7, true)};
    std::vector<double> expected(static_cast<size_t>(k * k), 0.0);
    double taken = 0;
    for (const auto& x : inputs)
      for (int64_t r = 0; r < rows; ++r) {
        const auto at = [&](int64_t c) {
          return static_cast<double>(x[static_cast<size_t>(r / inner * k * inner + c * inner + r % inner)]);
        };
        bool finite = true;
        for (int64_t c = 0; c < k; ++c) finite = finite && std::isfinite(at(c));
        if (!finite) continue;
        ++taken;
        for (int64_t i = 0; i < k; ++i)
          for (int64_t j = 0; j < k; ++j) expected[static_cast<size_t>(i * k + j)] += at(i) * at(j);
      }
    std::vector<double> state =
        Runs{"ObserveGram", dims, GramRecord::words(k), {{"channel_axis", axis}}}.state(inputs, 3);
    const GramRecord g(state.data());
    EXPECT_EQ(*g.rows, taken);
    EXPECT_EQ(*g.count + *g.nonfinite, 2.0 * static_cast<double>(n));
    EXPECT(same(g.products, expected));
  }
}

TEST(observe_samples_is_fair) {
  // The first element of every vector is its number.
  constexpr int64_t kVectors = 1000, kChannels = 3, kCapacity = 100;
  std::vector<float> x(kVectors * kChannels);
  for (size_t r = 0; r < kVectors; ++r)
    for (size_t c = 0; c < kChannels; ++c) x[r * kChannels + c] = static_cast<float>(r) + (c == 0 ? 0 : 0.5f);
  x[7 * kChannels + 1] = kInfinity;
  const Runs runs{"ObserveSamples",
                  {kVectors, kChannels},
                  SamplesRecord::words(kCapacity, kChannels),
                  {{"channel_axis", 1}, {"capacity", kCapacity}}};
  std::vector<double> state = runs.state({x}, 2);
  const SamplesRecord s(state.data());
  EXPECT_EQ(*s.rows, 999.0);
  EXPECT_EQ(*s.held, 100.0);
  EXPECT_EQ(*s.nonfinite, 1.0);
  double mean = 0;
  std::vector<bool> seen(kVectors, false);
  for (size_t i = 0; i < kCapacity; ++i) {
    const float number = s.vectors[i * kChannels];
    EXPECT(number != 7 && !seen[static_cast<size_t>(number)]);
    seen[static_cast<size_t>(number)] = true;
    EXPECT_EQ(s.vectors[i * kChannels + 2], number + 0.5f);
    mean += number / kCapacity;
  }
  // Six standard deviations of the mean of a fair sample.
  EXPECT(std::fabs(mean - 499.5) < 6 * 288.7 / 10);
  // Few vectors are all kept, in order.
  Runs few = runs;
  few.dims = {4, kChannels};
  std::vector<double> short_state = few.state({{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}, 1);
  const SamplesRecord all(short_state.data());
  EXPECT_EQ(*all.held, 4.0);
  for (size_t i = 0; i < 12; ++i) EXPECT_EQ(all.vectors[i], static_cast<float>(i));
}

// States are zero at first, or what an observer or a caller wrote: no content leads out of them.
TEST(observe_withstands_any_state) {
  const std::vector<float> x = values_of(64, 9, false, 1e30f);
  for (const double filler : {-1e300, 1e300, -0.5, 0.3, static_cast<double>(kInfinity), std::nan("")}) {
    const auto run = [&](const char* op, int64_t words,
                         const std::vector<std::pair<std::string, int64_t>>& attributes) {
      OpFixture f(op);
      f.input<float>({16, 4}, x).output<double>({words});
      for (const auto& [name, value] : attributes) f.set_integer(name, value);
      EXPECT_OK(f.load());
      EXPECT_OK(f.bind());
      double* state = const_cast<double*>(f.out<double>(0));
      for (int64_t i = 0; i < words; ++i) state[i] = filler;
      EXPECT_OK(f.run_bound());
    };
    run("ObserveHistogram", HistogramRecord::words(16), {{"bins", 16}});
    run("ObserveSamples", SamplesRecord::words(3, 4), {{"channel_axis", 1}, {"capacity", 3}});
    run("ObserveChannelExtremes", ChannelExtremesRecord::words(4), {{"channel_axis", 1}});
  }
}

TEST(observe_refuses_what_does_not_fit) {
  const auto status = [](const char* op, int64_t words,
                         const std::vector<std::pair<std::string, int64_t>>& attributes) {
    OpFixture f(op);
    f.input<float>({2, 3}, std::vector<float>(6, 0.0f)).output<double>({words});
    for (const auto& [name, value] : attributes) f.set_integer(name, value);
    return f.run().code;
  };
  EXPECT(status("ObserveHistogram", HistogramRecord::words(16), {{"bins", 16}}) == Code::kOk);
  EXPECT(status("ObserveHistogram", HistogramRecord::words(16) - 1, {{"bins", 16}}) == Code::kShape);
  EXPECT(status("ObserveHistogram", HistogramRecord::words(17), {{"bins", 17}}) == Code::kInvalidPlan);
  EXPECT(status("ObserveHistogram", 8, {{"bins", 1LL << 40}}) == Code::kInvalidPlan);
  EXPECT(status("ObserveMoments", 7, {}) == Code::kShape);
  EXPECT(status("ObserveChannelSums", ChannelSumsRecord::words(3), {{"channel_axis", 2}}) == Code::kInvalidPlan);
  EXPECT(status("ObserveChannelSums", ChannelSumsRecord::words(3), {{"channel_axis", 0}}) == Code::kShape);
  EXPECT(status("ObserveSamples", 5, {{"channel_axis", 1}, {"capacity", 0}}) == Code::kInvalidPlan);
  EXPECT(status("ObserveExtremes", ExtremesRecord::words(), {}) == Code::kInvalidPlan);
}

}  // namespace
}  // namespace octavo::test
