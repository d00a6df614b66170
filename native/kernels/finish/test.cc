// Every compiled instruction set against plain C++, on tiles of every width, with and without corrections, at the edges
// of int32.
#include "kernels/finish/finish.h"

#include <cmath>

#include "cpu/float_mode.h"
#include "cpu/isa.h"
#include "test/vector_sizes.h"

namespace octavo {

#define OCTAVO_TABLE FinishKernels
#define OCTAVO_TABLES "kernels/finish/kernels.inc"
#include "kernels/tables.inc"

namespace {

constexpr size_t kRows = 3, kStride = 80;

int32_t corrected(const FinishTile& t, size_t r, size_t i) {
  uint32_t acc = static_cast<uint32_t>(t.acc[r * t.acc_stride + i]);
  if (t.row_sums) acc -= static_cast<uint32_t>(t.w_zero[i]) * t.row_sums[r];
  if (t.row_zero) acc -= static_cast<uint32_t>(t.net_sum[i]) * static_cast<uint32_t>(t.row_zero[r]);
  return static_cast<int32_t>(acc);
}

// One array of every kind; what lies between the rows must stay.
template <class T, class Tile, class Value>
void check(const FinishKernels& k, void (*FinishKernels::*run)(const Tile&), Tile t, Value value, const char* what) {
  test::Array<T> out(kRows * kStride);
  std::memset(out.data(), 0x5A, kRows * kStride * sizeof(T));
  t.out = out.data();
  t.row_bytes = kStride * sizeof(T);
  (k.*run)(t);
  EXPECT(out.intact());
  test::Array<T> want(kRows * kStride);
  std::memset(want.data(), 0x5A, kRows * kStride * sizeof(T));
  for (size_t r = 0; r < kRows; ++r)
    for (size_t i = 0; i < t.n; ++i) want[r * kStride + i] = value(t, r, i);
  EXPECT_SAME(out.data(), want.data(), kRows * kStride,
              std::string(isa_name(k.isa)) + " " + what + " of " + std::to_string(t.n));
}

}  // namespace

TEST(finish_every_instruction_set_gives_the_bits_of_the_definition) {
  const FlushSubnormals mode;
  test::Array<int32_t> acc(kRows * kStride), w_zero(kStride), net_sum(kStride);
  test::Array<float> multiplier(kStride), bias(kStride);
  test::Random random(7);
  for (size_t i = 0; i < kRows * kStride; ++i) acc[i] = static_cast<int32_t>(random.next() >> (32 + i % 24));
  acc[0] = INT32_MIN, acc[1] = INT32_MAX;
  for (size_t i = 0; i < kStride; ++i) {
    w_zero[i] = static_cast<int32_t>(random.next() >> 56) - 128;
    net_sum[i] = static_cast<int32_t>(random.next() >> 40);
    multiplier[i] = random.real(1e-5f, 0.01f);
    bias[i] = random.real(-4, 4);
  }
  const uint32_t sums[kRows] = {0, 0xFFFFFF00u, 70000};
  const int32_t row_zero[kRows] = {-255, 0, 131};
  const float row_scale[kRows] = {0.25f, 1e-3f, 3.1f};
  for (const FinishKernels* k : kTables) {
    if (!isa_supported(k->isa)) continue;
    for (size_t n = 1; n <= 64; ++n)
      for (int form = 0; form < 16; ++form) {
        const bool is_signed = (form & 2) != 0, per_row = (form & 12) != 0;
        FinishTile t;
        t.acc = acc.data(), t.acc_stride = kStride;
        t.m = kRows, t.n = n;
        if (form & 1) t.row_sums = sums, t.w_zero = w_zero.data();
        if (per_row) t.row_zero = row_zero, t.net_sum = net_sum.data(), t.row_scale = row_scale;
        t.order = static_cast<ScaleOrder>((form >> 2) % 3);
        t.multiplier = multiplier.data();
        if (form & 2) t.bias = bias.data();
        t.requantize = {is_signed ? -120.0f : -3.0f, is_signed ? 90.0f : 252.0f, is_signed ? -8 : 3};
        check<uint8_t>(
            *k, &FinishKernels::bytes, t,
            [](const FinishTile& f, size_t r, size_t i) {
              return static_cast<uint8_t>(requantize_one(corrected(f, r, i), f.multiplier[i], f.requantize));
            },
            "bytes");
        check<float>(
            *k, &FinishKernels::floats, t,
            [](const FinishTile& f, size_t r, size_t i) {
              const float sum = static_cast<float>(corrected(f, r, i));
              const float row = f.row_scale ? f.row_scale[r] : 1.0f, column = f.multiplier[i];
              const float v = f.order == ScaleOrder::kProduct       ? sum * (row * column)
                              : f.order == ScaleOrder::kColumnFirst ? sum * column * row
                                                                    : sum * row * column;
              return f.bias ? v + f.bias[i] : v;
            },
            "floats");
        check<int32_t>(*k, &FinishKernels::words, t, corrected, "words");
        t.requantize = {is_signed ? -32768.0f : -3000.0f, is_signed ? 32767.0f : 62535.0f, is_signed ? 0 : 3000};
        check<uint16_t>(
            *k, &FinishKernels::halves, t,
            [](const FinishTile& f, size_t r, size_t i) {
              return static_cast<uint16_t>(requantize_one(corrected(f, r, i), f.multiplier[i], f.requantize));
            },
            "halves");
      }
  }
}

TEST(finish_of_16_bit_activations_gives_the_bits_of_the_definition) {
  const FlushSubnormals mode;
  test::Array<int32_t> high(kRows * kStride), low(kRows * kStride), w_zero(kStride);
  test::Array<double> before(kRows * kStride), start(kStride);
  test::Array<float> multiplier(kStride), bias(kStride);
  test::Random random(8);
  for (size_t i = 0; i < kRows * kStride; ++i) {
    high[i] = static_cast<int32_t>(random.next() >> (32 + i % 24)), low[i] = static_cast<int32_t>(random.next() >> 32);
    before[i] = static_cast<double>(static_cast<int64_t>(random.next()) >> 20);
  }
  high[0] = INT32_MIN, high[1] = INT32_MAX;
  for (size_t i = 0; i < kStride; ++i) {
    w_zero[i] = static_cast<int32_t>(random.next() >> 56) - 128;
    start[i] = static_cast<double>(static_cast<int64_t>(random.next()) >> 24);
    multiplier[i] = random.real(1e-8f, 1e-5f), bias[i] = random.real(-4, 4);
  }
  const double row_sums[kRows] = {0, -4294967297.0, 70000};
  for (const FinishKernels* k : kTables) {
    if (!isa_supported(k->isa)) continue;
    for (size_t n = 1; n <= 64; ++n)
      for (int form = 0; form < 8; ++form) {
        WideTile t;
        t.high = high.data(), t.low = low.data(), t.stride = kStride, t.m = kRows, t.n = n;
        if (form & 1) t.row_sums = row_sums, t.w_zero = w_zero.data();
        if (form & 2) t.bias = bias.data();
        if (form & 4) t.before = before.data();
        t.start = start.data(), t.multiplier = multiplier.data();
        const auto product = [](const WideTile& w, size_t r, size_t i) {
          const size_t at = r * w.stride + i;
          int64_t sum = int64_t{256} * w.high[at] + w.low[at] + static_cast<int64_t>(w.start[i]);
          if (w.before) sum += static_cast<int64_t>(w.before[at]);
          if (w.row_sums) sum -= w.w_zero[i] * static_cast<int64_t>(w.row_sums[r]);
          return static_cast<double>(sum) * static_cast<double>(w.multiplier[i]);
        };
        const auto level = [&](const WideTile& w, size_t r, size_t i) {
          const double v = product(w, r, i), lo = static_cast<double>(w.requantize.lo),
                       hi = static_cast<double>(w.requantize.hi);
          return static_cast<int32_t>(std::nearbyint(v < lo ? lo : v > hi ? hi : v)) + w.requantize.zero_point;
        };
        t.requantize = {-3.0f, 252.0f, 3};
        check<uint8_t>(
            *k, &FinishKernels::wide_bytes, t,
            [&](const WideTile& w, size_t r, size_t i) { return static_cast<uint8_t>(level(w, r, i)); }, "wide bytes");
        t.requantize = {-32000.0f, 32767.0f, -700};
        check<uint16_t>(
            *k, &FinishKernels::wide_halves, t,
            [&](const WideTile& w, size_t r, size_t i) { return static_cast<uint16_t>(level(w, r, i)); },
            "wide halves");
        check<float>(
            *k, &FinishKernels::wide_floats, t,
            [&](const WideTile& w, size_t r, size_t i) {
              const float v = static_cast<float>(product(w, r, i));
              return w.bias ? v + w.bias[i] : v;
            },
            "wide floats");
      }
  }
}

}  // namespace octavo
