// Every compiled instruction set against scalar.cc bit for bit, on awkward lengths, all byte values and extreme
// parameters.
#include "kernels/q8/q8.h"

#include <cmath>
#include <iterator>
#include <limits>

#include "cpu/float_mode.h"
#include "cpu/isa.h"
#include "test/vector_sizes.h"

namespace octavo {

#define OCTAVO_TABLE Q8Kernels
#define OCTAVO_TABLES "kernels/q8/kernels.inc"
#include "kernels/tables.inc"

namespace {

// f(kernels) for every instruction set but scalar that this CPU runs.
template <class F>
void each_isa(F f) {
  const FlushSubnormals mode;
  for (const Q8Kernels* kernels : kTables)
    if (kernels != &q8_scalar && isa_supported(kernels->isa)) f(*kernels);
}

test::Array<uint8_t> random_bytes(size_t n, uint64_t seed) {
  test::Array<uint8_t> bytes(n);
  test::Random random(seed);
  for (size_t i = 0; i < n; ++i) bytes[i] = static_cast<uint8_t>(random.next() >> 32);
  for (size_t i = 0; i < n && i < 4; ++i) bytes[i] = std::initializer_list<uint8_t>{0, 255, 128, 127}.begin()[i];
  return bytes;
}

void compare(test::Array<uint8_t>& got, test::Array<uint8_t>& want, size_t n, const std::string& where) {
  EXPECT(got.intact());
  EXPECT_SAME(got.data(), want.data(), n, where);
}

}  // namespace

TEST(q8_lookup) {
  auto table = random_bytes(256, 1);
  each_isa([&](const Q8Kernels& k) {
    for (size_t n : test::vector_sizes(1000)) {
      auto x = random_bytes(n, n);
      test::Array<uint8_t> got(n), want(n);
      for (size_t i = 0; i < n && n > 256; ++i) x[i] = static_cast<uint8_t>(i);
      k.lookup(x.data(), got.data(), static_cast<int64_t>(n), table.data());
      q8_scalar.lookup(x.data(), want.data(), static_cast<int64_t>(n), table.data());
      compare(got, want, n, std::string(isa_name(k.isa)) + " lookup of " + std::to_string(n));
    }
  });
}

TEST(q8_add_and_mul) {
  test::Random random(3);
  each_isa([&](const Q8Kernels& k) {
    for (int form = 0; form < 8; ++form)
      for (size_t n : test::vector_sizes(500)) {
        const bool out_signed = random.next() % 2 != 0;
        Q8Binary p;
        p.a_signed = (form & 4) != 0;
        p.b_signed = (form & 2) != 0;
        p.b_scalar = (form & 1) != 0;
        p.ra = random.real(0, 2);
        p.rb = random.real(-2, 2);
        p.m = n % 7 == 0 ? std::numeric_limits<float>::max() : n % 7 == 1 ? 1e-30f : random.real(0, 0.1f);
        p.za = static_cast<int32_t>(random.between(p.a_signed ? -128 : 0, p.a_signed ? 127 : 255));
        p.zb = static_cast<int32_t>(random.between(p.b_signed ? -128 : 0, p.b_signed ? 127 : 255));
        p.qmin = out_signed ? -128 : 0;
        p.qmax = p.qmin + 255;
        p.zy = static_cast<int32_t>(random.between(p.qmin, p.qmax));
        if (n % 3 == 0) p.qmin = p.zy;
        auto a = random_bytes(n, n), b = random_bytes(p.b_scalar ? 1 : n, n + 1000);
        test::Array<uint8_t> got(n), want(n);
        const std::string where =
            std::string(isa_name(k.isa)) + " form " + std::to_string(form) + " of " + std::to_string(n);
        k.add(p, a.data(), b.data(), got.data(), static_cast<int64_t>(n));
        q8_scalar.add(p, a.data(), b.data(), want.data(), static_cast<int64_t>(n));
        compare(got, want, n, "add, " + where);
        k.mul(p, a.data(), b.data(), got.data(), static_cast<int64_t>(n));
        q8_scalar.mul(p, a.data(), b.data(), want.data(), static_cast<int64_t>(n));
        compare(got, want, n, "mul, " + where);
      }
  });
}

TEST(q8_quantize_and_back) {
  const std::vector<float> awkward = test::awkward_floats();
  each_isa([&](const Q8Kernels& k) {
    for (int zp = -128; zp <= 255; ++zp) {
      const size_t n = static_cast<size_t>(zp + 128) % 150;
      const int32_t qmin = zp < 0 ? -128 : 0, qmax = qmin + 255;
      if (zp > qmax) continue;
      test::Random random(static_cast<uint64_t>(zp + 1000));
      test::Array<float> x(n);
      for (size_t i = 0; i < n; ++i)
        x[i] = i < awkward.size() ? awkward[i] : static_cast<float>(random.between(-600, 600)) * 0.5f;
      const float scale = zp % 3 == 0 ? 1.0f : random.real(0.001f, 3);
      test::Array<uint8_t> got(n), want(n);
      const std::string where = std::string(isa_name(k.isa)) + ", zero point " + std::to_string(zp);
      const int64_t count = static_cast<int64_t>(n);
      k.quantize(x.data(), got.data(), count, scale, zp, qmin, qmax);
      q8_scalar.quantize(x.data(), want.data(), count, scale, zp, qmin, qmax);
      compare(got, want, n, "quantize, " + where);
      for (size_t i = 0; i < n; ++i)
        if (x[i] != x[i]) x[i] = 0;
      k.scale_to_bytes(x.data(), got.data(), count, scale, zp, qmin, qmax);
      q8_scalar.scale_to_bytes(x.data(), want.data(), count, scale, zp, qmin, qmax);
      compare(got, want, n, "scale_to_bytes, " + where);
      test::Array<float> real(n), expected(n);
      k.dequantize(got.data(), zp < 0, real.data(), count, scale, zp);
      q8_scalar.dequantize(got.data(), zp < 0, expected.data(), count, scale, zp);
      EXPECT(real.intact());
      test::expect_same_floats(real.data(), expected.data(), n, "dequantize, " + where, __FILE__, __LINE__);
    }
  });
}

// Quotients next to a half, where one bit of a division decides.
TEST(q8_quantize_near_ties) {
  each_isa([&](const Q8Kernels& k) {
    test::Random random(11);
    for (int round = 0; round < 200; ++round) {
      const float scales[] = {std::nextafter(1.0f, 0.0f), 0x1p-40f, 0x1p-41f, 0x1.8p40f, 0x1p41f, 1e-37f, 1e36f};
      const float scale = static_cast<size_t>(round) < std::size(scales)
                              ? scales[round]
                              : random.real(1e-4f, 2e-4f) * std::ldexp(1.0f, round % 20);
      constexpr size_t kCount = 7 * 257;
      test::Array<float> x(kCount);
      for (size_t i = 0; i < kCount; ++i) {
        const float half = static_cast<float>(static_cast<int>(i / 7) - 128) + 0.5f;
        x[i] = half * scale;
        for (size_t step = i % 7; step > 3; --step) x[i] = std::nextafter(x[i], INFINITY);
        for (size_t step = i % 7; step < 3; ++step) x[i] = std::nextafter(x[i], -INFINITY);
      }
      test::Array<uint8_t> got(kCount), want(kCount);
      k.quantize(x.data(), got.data(), kCount, scale, 0, -128, 127);
      q8_scalar.quantize(x.data(), want.data(), kCount, scale, 0, -128, 127);
      compare(got, want, kCount, std::string(isa_name(k.isa)) + " ties, scale " + std::to_string(scale));
    }
  });
}

TEST(q8_interleaving) {
  each_isa([&](const Q8Kernels& k) {
    for (size_t n : test::vector_sizes(100)) {
      auto a = random_bytes(n, n), b = random_bytes(n, n + 1), c = random_bytes(n, n + 2), got = random_bytes(3 * n, 5),
           want = random_bytes(3 * n, 5);
      k.interleave3(a.data(), b.data(), c.data(), got.data(), static_cast<int64_t>(n));
      q8_scalar.interleave3(a.data(), b.data(), c.data(), want.data(), static_cast<int64_t>(n));
      compare(got, want, 3 * n, std::string(isa_name(k.isa)) + " interleave of " + std::to_string(n));
      for (size_t i = 0; i < n; ++i)
        EXPECT(want.data()[3 * i] == a.data()[i] && want.data()[3 * i + 1] == b.data()[i] &&
               want.data()[3 * i + 2] == c.data()[i]);
    }
  });
}

TEST(q8_pooling_kernels) {
  each_isa([&](const Q8Kernels& k) {
    for (size_t n : test::vector_sizes(400))
      for (bool is_signed : {false, true}) {
        const int64_t count = static_cast<int64_t>(n);
        const std::string where =
            std::string(isa_name(k.isa)) + (is_signed ? " int8 of " : " uint8 of ") + std::to_string(n);
        auto x = random_bytes(n, n), got = random_bytes(n, n + 7), want = random_bytes(n, n + 7);
        auto z = random_bytes(n, n + 3), w = random_bytes(n, n + 5);
        for (int64_t taps : {1, 2, 5}) {
          const uint8_t* into_got[] = {got.data(), x.data(), z.data(), w.data(), x.data()};
          const uint8_t* into_want[] = {want.data(), x.data(), z.data(), w.data(), x.data()};
          const int64_t skip = taps == 5 ? 0 : 1;  // with y among the taps, and without
          k.max_of(into_got + skip, taps, is_signed, got.data(), count);
          q8_scalar.max_of(into_want + skip, taps, is_signed, want.data(), count);
          compare(got, want, n, "max of " + std::to_string(taps) + ", " + where);
        }
        test::Array<int32_t> sum(n), expected(n);
        for (size_t i = 0; i < n; ++i) sum[i] = expected[i] = static_cast<int32_t>(i * 1000003) - 40000000;
        // Rows that overlap: of all lengths, with every stride.
        for (int64_t rows : {0, 1, 2, 3})
          for (int64_t stride : {1, 3}) {
            const int64_t width = count - (rows > 0 ? (rows - 1) * stride : 0);
            if (width < 0) continue;
            k.add_rows(x.data(), rows, stride, is_signed, sum.data(), width);
            q8_scalar.add_rows(x.data(), rows, stride, is_signed, expected.data(), width);
          }
        EXPECT(sum.intact());
        EXPECT_SAME(sum.data(), expected.data(), n, "sums, " + where);
        EXPECT_EQ(k.sum(x.data(), is_signed, count), q8_scalar.sum(x.data(), is_signed, count));
        k.requantize(sum.data(), got.data(), count, 1e-5f, is_signed ? -3 : 9, is_signed ? -128 : 0,
                     is_signed ? 127 : 255);
        q8_scalar.requantize(sum.data(), want.data(), count, 1e-5f, is_signed ? -3 : 9, is_signed ? -128 : 0,
                             is_signed ? 127 : 255);
        compare(got, want, n, "requantize, " + where);
      }
  });
}

// Long enough for every sum of few bits to be carried over, and full of what fills it fastest.
TEST(q8_sums_of_long_rows) {
  each_isa([&](const Q8Kernels& k) {
    for (size_t n : {2047, 2048, 2049, 4096, 9000})
      for (bool is_signed : {false, true}) {
        auto x = random_bytes(n, n);
        std::memset(x.data(), is_signed ? 0x7F : 0xFF, n);
        EXPECT_EQ(k.sum(x.data(), is_signed, static_cast<int64_t>(n)),
                  static_cast<int64_t>(n) * (is_signed ? 127 : 255));
        std::memset(x.data(), 0x80, n);
        EXPECT_EQ(k.sum(x.data(), is_signed, static_cast<int64_t>(n)),
                  static_cast<int64_t>(n) * (is_signed ? -128 : 128));
      }
  });
}

}  // namespace octavo
