// Every compiled instruction set against scalar.cc bit for bit, and that against attention in double precision.
#include <algorithm>
#include <cmath>

#include "cpu/float_mode.h"
#include "cpu/isa.h"
#include "kernels/attention/attention.h"
#include "test/vector_sizes.h"

namespace octavo {

#define OCTAVO_TABLE AttentionKernel
#define OCTAVO_TABLES "kernels/attention/kernels.inc"
#include "kernels/tables.inc"

namespace {

struct Problem {
  int64_t rows, size, keys;
  bool int8, cap, bias, sink;
};

// All parts one after the other: scores by dots or by tiles, weights, sums.
struct Parts {
  explicit Parts(const Problem& c)
      : q(n(c.rows * c.size)),
        keys(n(c.keys * c.size)),
        bytes(n(c.keys * c.size)),
        bias(n(c.keys)),
        scales(n(c.keys)),
        packed(n(c.size * kAttentionKeys)),
        scores(n(c.rows * stride(c))),
        y(n(c.rows * c.size)) {
    test::Random random(static_cast<uint64_t>(c.size * 100 + c.keys));
    for (size_t i = 0; i < n(c.rows * c.size); ++i) q[i] = random.real(-2, 2);
    for (size_t i = 0; i < n(c.keys * c.size); ++i) {
      keys[i] = random.real(-2, 2);
      bytes[i] = static_cast<int8_t>(random.next() >> 56);
    }
    for (size_t i = 0; i < n(c.keys); ++i) {
      bias[i] = random.real(-3, 3);
      scales[i] = random.real(0.001f, 0.02f);
    }
  }
  static size_t n(int64_t count) { return static_cast<size_t>(count); }
  static int64_t stride(const Problem& c) { return (c.keys + 63) / 64 * 64 + 16; }

  void run(const AttentionKernel& kernel, const Problem& c, bool tiles) {
    const AttentionLoops& loops = c.int8 ? kernel.int8 : kernel.float32;
    const void* rows = c.int8 ? static_cast<const void*>(bytes.data()) : keys.data();
    const float *qs[kAttentionRows], *weights[kAttentionRows];
    float *at[kAttentionRows], *ys[kAttentionRows];
    for (int64_t r = 0; r < c.rows; ++r) {
      qs[r] = q.data() + r * c.size;
      at[r] = scores.data() + r * stride(c);
      weights[r] = at[r];
      ys[r] = y.data() + r * c.size;
    }
    for (int64_t first = 0; first < c.keys; first += kAttentionKeys) {
      float* block[kAttentionRows];
      for (int64_t r = 0; r < c.rows; ++r) block[r] = at[r] + first;
      const AttentionKeys some = part(rows, c, first);
      if (tiles) {
        loops.pack(some, c.size, packed.data());
        kernel.tile({c.rows, c.size, qs, block}, packed.data());
      } else {
        loops.dots({c.rows, c.size, qs, block}, some);
      }
    }
    const AttentionSoftmax softmax = {0.3f,
                                      c.cap ? 2.0f : 0.0f,
                                      c.bias ? bias.data() : nullptr,
                                      c.sink ? &sink : nullptr,
                                      c.int8 ? scales.data() : nullptr,
                                      c.int8 ? scales.data() : nullptr};
    float sums[kAttentionRows];
    for (int64_t r = 0; r < c.rows; ++r) sums[r] = kernel.softmax(softmax, at[r], c.keys);
    for (int64_t first = 0; first < c.keys; first += kAttentionKeys) {
      const float* from[kAttentionRows];
      for (int64_t r = 0; r < c.rows; ++r) from[r] = weights[r] + first;
      loops.mix({c.rows, c.size, from, ys, first == 0}, part(rows, c, first));
    }
    for (int64_t r = 0; r < c.rows; ++r) kernel.divide(ys[r], c.size, sums[r]);
  }
  static AttentionKeys part(const void* rows, const Problem& c, int64_t first) {
    const int64_t width = c.int8 ? 1 : 4;
    return {static_cast<const uint8_t*>(rows) + first * c.size * width, c.size,
            std::min(kAttentionKeys, c.keys - first)};
  }
  bool intact() { return packed.intact() && scores.intact() && y.intact(); }

  test::Array<float> q, keys;
  test::Array<int8_t> bytes;
  test::Array<float> bias, scales, packed, scores, y;
  float sink = 1.25f;
};

template <class F>
void each(F f) {
  for (int64_t size : {1, 2, 15, 16, 17, 40, 64, 80, 128})
    for (int64_t keys : {1, 3, 16, 63, 64, 65, 130})
      for (int options = 0; options < 16; ++options) {
        const int64_t rows = 1 + (size + keys + options) % kAttentionRows;
        f(Problem{rows, size, keys, (options & 1) != 0, (options & 2) != 0, (options & 4) != 0, (options & 8) != 0});
      }
}

double expected(Parts& p, const Problem& c, int64_t row, int64_t column) {
  std::vector<double> s(Parts::n(c.keys));
  const auto key = [&](int64_t j, int64_t i) {
    const size_t at = Parts::n(j * c.size + i);
    return c.int8 ? static_cast<double>(p.bytes[at]) * p.scales[Parts::n(j)] : static_cast<double>(p.keys[at]);
  };
  double top = c.sink ? p.sink : -1e30, sum = 0, y = 0;
  for (int64_t j = 0; j < c.keys; ++j) {
    double& score = s[Parts::n(j)];
    for (int64_t i = 0; i < c.size; ++i) score += p.q[Parts::n(row * c.size + i)] * key(j, i);
    score *= static_cast<double>(0.3f);
    if (c.cap) score = 2 * std::tanh(score / 2);
    if (c.bias) score += p.bias[Parts::n(j)];
    top = std::max(top, score);
  }
  if (c.sink) sum += std::exp(p.sink - top);
  for (int64_t j = 0; j < c.keys; ++j) {
    const double e = std::exp(s[Parts::n(j)] - top);
    sum += e;
    y += e * key(j, column);
  }
  return y / sum;
}

}  // namespace

TEST(attention_every_instruction_set_gives_the_bits_of_scalar) {
  const FlushSubnormals mode;
  each([](const Problem& c) {
    for (const bool tiles : {false, true}) {
      Parts want(c);
      want.run(*kTables[std::size(kTables) - 1], c, tiles);
      for (const AttentionKernel* k : kTables) {
        if (!isa_supported(k->isa)) continue;
        Parts got(c);
        got.run(*k, c, tiles);
        EXPECT(got.intact());
        EXPECT_SAME(got.y.data(), want.y.data(), Parts::n(c.rows * c.size),
                    std::string(k->name) + " of " + std::to_string(c.size) + " by " + std::to_string(c.keys));
      }
    }
  });
}

TEST(attention_is_a_mean_of_values_by_the_softmax_of_scores) {
  const FlushSubnormals mode;
  each([](const Problem& c) {
    for (const bool tiles : {false, true}) {
      Parts p(c);
      p.run(attention_kernel(), c, tiles);
      for (int64_t r = 0; r < c.rows; ++r)
        for (int64_t i = 0; i < c.size; i += 7) {
          const double want = expected(p, c, r, i);
          EXPECT(std::abs(static_cast<double>(p.y[Parts::n(r * c.size + i)]) - want) < 2e-5);
        }
    }
  });
}

TEST(attention_weights_of_keys_that_are_all_hidden_are_zero) {
  const FlushSubnormals mode;
  for (const AttentionKernel* k : kTables) {
    if (!isa_supported(k->isa)) continue;
    test::Array<float> scores(40), bias(20);
    for (size_t i = 0; i < 20; ++i) scores[i] = 1, bias[i] = -INFINITY;
    EXPECT_EQ(k->softmax({1, 0, bias.data(), nullptr, nullptr, nullptr}, scores.data(), 20), 0.0f);
    for (size_t i = 0; i < 20; ++i) EXPECT_EQ(scores[i], 0.0f);
  }
}

}  // namespace octavo
