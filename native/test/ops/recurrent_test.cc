#include <cmath>

#include "test/op_fixture.h"

using namespace octavo;
using namespace octavo::test;

namespace {

constexpr int64_t kTimes = 4, kBatch = 3, kInputs = 5, kHidden = 7;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Model {
  std::string cell;
  int gates, directions;
  bool linear_before_reset, with_peepholes, with_lengths;
  bool constant = true, integer = false;  // of the recurrent weights
};

// ONNX's equations, default activations, one entry and direction at a time.
void check(const Model& m) {
  Random random(static_cast<uint64_t>(m.gates * 10 + m.directions));
  const auto reals = [&](int64_t n) {
    std::vector<float> v(static_cast<size_t>(n));
    for (float& f : v) f = random.real(-1, 1);
    return v;
  };
  const int64_t D = m.directions, G = m.gates, H = kHidden, n = G * H;
  const std::vector<float> x = reals(kTimes * kBatch * kInputs), w = reals(D * n * kInputs);
  std::vector<float> r = reals(D * n * H), scales(static_cast<size_t>(D * n));
  std::vector<int8_t> levels(r.size());
  for (size_t j = 0; m.integer && j < scales.size(); ++j) {
    scales[j] = random.real(0.005f, 0.01f);
    for (size_t k = 0; k < static_cast<size_t>(H); ++k) {
      levels[j * H + k] = static_cast<int8_t>(random.between(-127, 127));
      r[j * H + k] = scales[j] * static_cast<float>(levels[j * H + k]);
    }
  }
  const std::vector<float> b = reals(D * 2 * n), h0 = reals(D * kBatch * H), c0 = reals(D * kBatch * H),
                           p = reals(D * 3 * H);
  const std::vector<int32_t> lengths = m.with_lengths ? std::vector<int32_t>{4, 2, 0} : std::vector<int32_t>{4, 4, 4};
  // What the product before the step makes of x.
  std::vector<float> part(static_cast<size_t>(kTimes * kBatch * D * n));
  for (int64_t row = 0; row < kTimes * kBatch; ++row)
    for (int64_t j = 0; j < D * n; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < kInputs; ++k) sum += static_cast<double>(x[row * kInputs + k]) * w[j * kInputs + k];
      part[row * D * n + j] = static_cast<float>(sum);
    }
  OpFixture f(m.integer ? "QRecurrent" : "Recurrent");
  f.input({kTimes, kBatch, D * n}, part);
  if (m.integer) f.constant({D, n, H}, levels).constant({D * n}, scales).absent();
  else if (m.constant) f.constant({D, n, H}, r);
  else f.input({D, n, H}, r);
  f.constant({D, 2 * n}, b);
  if (m.with_lengths) f.input({kBatch}, lengths);
  else f.absent();
  f.input({D, kBatch, H}, h0);
  if (m.cell == "lstm") f.input({D, kBatch, H}, c0);
  if (m.with_peepholes) f.constant({D, 3 * H}, p);
  f.output<float>({kTimes, D, kBatch, H}).output<float>({D, kBatch, H});
  if (m.cell == "lstm") f.output<float>({D, kBatch, H});
  f.set_text("cell", m.cell)
      .set_text("direction", D == 2 ? "bidirectional" : "reverse")
      .set_integer("linear_before_reset", m.linear_before_reset);
  EXPECT_OK(f.run());
  bool close = true;
  for (int64_t d = 0; d < D; ++d)
    for (int64_t e = 0; e < kBatch; ++e) {
      std::vector<double> h(h0.begin() + (d * kBatch + e) * H, h0.begin() + (d * kBatch + e + 1) * H),
          c(c0.begin() + (d * kBatch + e) * H, c0.begin() + (d * kBatch + e + 1) * H);
      const auto input_part = [&](int64_t t, int64_t j) {
        double sum = b[d * 2 * n + j];
        for (int64_t k = 0; k < kInputs; ++k)
          sum += static_cast<double>(x[(t * kBatch + e) * kInputs + k]) * w[(d * n + j) * kInputs + k];
        return sum;
      };
      const auto hidden_part = [&](const std::vector<double>& v, int64_t j) {
        double sum = b[d * 2 * n + n + j];
        for (int64_t k = 0; k < H; ++k) sum += v[k] * r[(d * n + j) * H + k];
        return sum;
      };
      const bool backward = D == 1 || d == 1;
      for (int64_t step = 0; step < lengths[e]; ++step) {
        const int64_t t = backward ? lengths[e] - 1 - step : step;
        std::vector<double> next(h), reset(h);
        if (m.cell == "gru")
          for (int64_t j = 0; j < H; ++j) reset[j] = sigmoid(input_part(t, H + j) + hidden_part(h, H + j));
        for (int64_t j = 0; j < H; ++j) {
          const auto gate = [&](int64_t g) { return input_part(t, g * H + j) + hidden_part(h, g * H + j); };
          if (m.cell == "rnn") {
            next[j] = std::tanh(gate(0));
          } else if (m.cell == "gru") {
            std::vector<double> rh(h);
            for (int64_t k = 0; k < H; ++k) rh[k] *= reset[k];
            const double z = sigmoid(gate(0)), part = m.linear_before_reset ? reset[j] * hidden_part(h, 2 * H + j)
                                                                            : hidden_part(rh, 2 * H + j);
            next[j] = (1 - z) * std::tanh(input_part(t, 2 * H + j) + part) + z * h[j];
          } else {
            const double pi = m.with_peepholes ? p[d * 3 * H + j] : 0, po = m.with_peepholes ? p[d * 3 * H + H + j] : 0,
                         pf = m.with_peepholes ? p[d * 3 * H + 2 * H + j] : 0;
            const double i = sigmoid(gate(0) + pi * c[j]), forget = sigmoid(gate(2) + pf * c[j]);
            c[j] = forget * c[j] + i * std::tanh(gate(3));
            next[j] = sigmoid(gate(1) + po * c[j]) * std::tanh(c[j]);
          }
        }
        h = next;
        for (int64_t j = 0; j < H; ++j)
          close = close && std::fabs(f.out<float>(0)[((t * D + d) * kBatch + e) * H + j] - h[j]) < 2e-6;
      }
      for (int64_t t = lengths[e]; t < kTimes; ++t)
        for (int64_t j = 0; j < H; ++j) close = close && f.out<float>(0)[((t * D + d) * kBatch + e) * H + j] == 0.0f;
      for (int64_t j = 0; j < H; ++j) {
        close = close && std::fabs(f.out<float>(1)[(d * kBatch + e) * H + j] - h[j]) < 2e-6;
        if (m.cell == "lstm") close = close && std::fabs(f.out<float>(2)[(d * kBatch + e) * H + j] - c[j]) < 4e-6;
      }
    }
  EXPECT(close);
}

}  // namespace

TEST(recurrent_cells_against_double) {
  for (int directions = 1; directions <= 2; ++directions)
    for (bool lengths : {false, true})
      for (int weights = 0; weights < 3; ++weights) {
        const bool constant = weights != 1, integer = weights == 2;
        check({"lstm", 4, directions, false, false, lengths, constant, integer});
        check({"lstm", 4, directions, false, true, lengths, constant, integer});
        check({"gru", 3, directions, false, false, lengths, constant, integer});
        check({"gru", 3, directions, true, false, lengths, constant, integer});
        check({"rnn", 1, directions, false, false, lengths, constant, integer});
      }
}

TEST(recurrent_refuses_lengths_past_the_sequence) {
  OpFixture f("Recurrent");
  f.input<float>({1, 1, 1}, {1})
      .constant<float>({1, 1, 1}, {1})
      .absent()
      .input<int32_t>({1}, {2})
      .output<float>({1, 1, 1, 1});
  f.set_text("cell", "rnn");
  EXPECT_CODE(f.run(), Code::kData);
}

TEST(recurrent_refuses_parameters_that_do_not_fit) {
  const auto refused = [](const std::vector<float>& scales, int8_t zero) {
    OpFixture f("QRecurrent");
    f.input<float>({1, 1, 2}, {1, 1})
        .constant<int8_t>({1, 2, 2}, {1, 2, 3, 4})
        .constant<float>({static_cast<int64_t>(scales.size())}, scales)
        .constant<int8_t>({1}, {zero})
        .output<float>({1, 1, 1, 2});
    f.set_text("cell", "rnn");
    return f.run();
  };
  EXPECT_OK(refused({0.5f, 0.25f}, 0));
  EXPECT_OK(refused({0.5f}, 0));
  EXPECT_CODE(refused({0.5f, 0.25f, 1.0f}, 0), Code::kInvalidPlan);
  EXPECT_CODE(refused({0.5f, -0.25f}, 0), Code::kInvalidPlan);
  EXPECT_CODE(refused({0.5f}, 1), Code::kUnsupported);
}
