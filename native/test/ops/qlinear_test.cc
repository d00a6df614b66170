// QConv (windows, strips, pointwise, depthwise, groups) and QMatMul against sums in 64 bits.
#include <algorithm>
#include <vector>

#include "kernels/requantize/requantize.h"
#include "test/op_fixture.h"

namespace octavo::test {
namespace {

enum class Out { kBytes, kFloat, kInt32 };

struct ConvCase {
  int64_t batch, height, width, channels, out_channels, kernel_h, kernel_w, stride, pad, dilation, group;
  bool x_signed, w_signed, per_channel, bias;
  int w_zero;     // -1000: random per channel
  bool constant;  // parameters
  Out out;
};

template <class T>
void add_parameter(OpFixture& f, bool constant, const std::vector<int64_t>& dims, const std::vector<T>& values) {
  if (constant) f.constant<T>(dims, values);
  else f.input<T>(dims, values);
}

void add_zero(OpFixture& f, bool constant, bool is_signed, const std::vector<int32_t>& zeros) {
  const std::vector<int64_t> dims =
      zeros.size() == 1 ? std::vector<int64_t>{} : std::vector<int64_t>{static_cast<int64_t>(zeros.size())};
  if (is_signed) add_parameter<int8_t>(f, constant, dims, std::vector<int8_t>(zeros.begin(), zeros.end()));
  else add_parameter<uint8_t>(f, constant, dims, std::vector<uint8_t>(zeros.begin(), zeros.end()));
}

std::vector<uint8_t> random_bytes(Random& random, size_t n) {
  std::vector<uint8_t> v(n);
  for (uint8_t& b : v) {
    const int64_t pick = random.between(0, 9);
    b = static_cast<uint8_t>(pick == 0 ? 0x80 : pick == 1 ? 0xFF : pick == 2 ? 0x7F : random.between(0, 255));
  }
  return v;
}

int32_t value(uint8_t b, bool is_signed) { return is_signed ? static_cast<int8_t>(b) : b; }

// The parameters of one product, as inputs 1.. of the step, and the expected output of one sum.
struct Parameters {
  float x_scale = 0.02f, y_scale = 0.7f;
  int32_t x_zero = 0, y_zero = 0;
  std::vector<float> w_scale;
  std::vector<int32_t> w_zero, bias;
  bool x_signed, w_signed, has_bias;
  Out out;

  Parameters(Random& r, int64_t n, bool xs, bool ws, bool per_channel, bool with_bias, int zero, Out o)
      : x_signed(xs), w_signed(ws), has_bias(with_bias), out(o) {
    const int64_t low = xs ? -128 : 0;
    x_zero = static_cast<int32_t>(low + r.between(0, 255));
    y_zero = static_cast<int32_t>(low + r.between(0, 255));
    for (int64_t i = 0; i < (per_channel ? n : 1); ++i) w_scale.push_back(r.real(0.005f, 0.03f));
    for (int64_t i = 0; i < (zero == -1000 ? n : 1); ++i)
      w_zero.push_back(zero == -1000 ? static_cast<int32_t>((ws ? -128 : 0) + r.between(0, 255)) : zero);
    for (int64_t i = 0; i < n; ++i) bias.push_back(static_cast<int32_t>(r.between(-20000, 20000)));
  }
  int32_t zero_of(int64_t n) const { return w_zero[w_zero.size() == 1 ? 0 : static_cast<size_t>(n)]; }
  void add_quantization_of_x(OpFixture& f, bool constant) const {
    add_parameter<float>(f, constant, {}, {x_scale});
    add_zero(f, constant, x_signed, {x_zero});
  }
  void add_rest(OpFixture& f, bool constant) const {
    const int64_t n = static_cast<int64_t>(w_scale.size());
    add_parameter<float>(f, constant, n == 1 ? std::vector<int64_t>{} : std::vector<int64_t>{n}, w_scale);
    add_zero(f, constant, w_signed, w_zero);
    if (out == Out::kBytes) {
      add_parameter<float>(f, constant, {}, {y_scale});
      add_zero(f, constant, x_signed, {y_zero});
    } else {
      f.absent().absent();
    }
    if (has_bias) add_parameter<int32_t>(f, constant, {static_cast<int64_t>(bias.size())}, bias);
  }
  template <class T>
  static T as(float v) {
    T t;
    std::memcpy(&t, &v, sizeof t);
    return t;
  }
  // The bits of the output element.
  uint32_t expected(int64_t sum, int64_t n) const {
    const int32_t acc =
        static_cast<int32_t>(static_cast<uint32_t>(sum + (has_bias ? bias[static_cast<size_t>(n)] : 0)));
    const float scale = x_scale * w_scale[w_scale.size() == 1 ? 0 : static_cast<size_t>(n)];
    if (out == Out::kInt32) return static_cast<uint32_t>(acc);
    if (out == Out::kFloat) return as<uint32_t>(static_cast<float>(acc) * scale);
    const int32_t low = x_signed ? -128 : 0;
    const Requantize r{static_cast<float>(low - y_zero), static_cast<float>(low + 255 - y_zero), y_zero};
    return static_cast<uint8_t>(requantize_one(acc, scale / y_scale, r));
  }
  DType type() const {
    return out == Out::kFloat   ? DType::kFloat32
           : out == Out::kInt32 ? DType::kInt32
           : x_signed           ? DType::kInt8
                                : DType::kUint8;
  }
};

void expect_outputs(OpFixture& f, const Parameters& p, const std::vector<uint32_t>& want, const std::string& where) {
  if (p.out == Out::kBytes) {
    const std::vector<uint8_t> bytes(want.begin(), want.end());
    EXPECT_SAME(f.out<uint8_t>(0), bytes.data(), bytes.size(), where);
  } else {
    EXPECT_SAME(f.out<uint32_t>(0), want.data(), want.size(), where);
  }
}

void check_conv(const ConvCase& t, uint64_t seed) {
  Random r(seed);
  const int64_t depth = t.channels / t.group, span_h = t.dilation * (t.kernel_h - 1) + 1,
                span_w = t.dilation * (t.kernel_w - 1) + 1;
  const int64_t oh = (t.height + 2 * t.pad - span_h) / t.stride + 1, ow = (t.width + 2 * t.pad - span_w) / t.stride + 1;
  const auto x = random_bytes(r, static_cast<size_t>(t.batch * t.height * t.width * t.channels));
  const auto w = random_bytes(r, static_cast<size_t>(t.out_channels * depth * t.kernel_h * t.kernel_w));
  const Parameters p(r, t.out_channels, t.x_signed, t.w_signed, t.per_channel, t.bias, t.w_zero, t.out);

  OpFixture f("QConv");
  f.input(t.x_signed ? DType::kInt8 : DType::kUint8, {t.batch, t.height, t.width, t.channels}, x.data(), x.size());
  p.add_quantization_of_x(f, t.constant);
  f.input(t.w_signed ? DType::kInt8 : DType::kUint8, {t.out_channels, depth, t.kernel_h, t.kernel_w}, w.data(),
          w.size(), true);
  p.add_rest(f, t.constant);
  f.output(p.type(), {t.batch, oh, ow, t.out_channels});
  f.set_integers("strides", {t.stride, t.stride}).set_integers("pads", {t.pad, t.pad, t.pad, t.pad});
  f.set_integers("dilations", {t.dilation, t.dilation}).set_integer("group", t.group);
  EXPECT_OK(f.run());

  std::vector<uint32_t> want;
  const int64_t per_group = t.out_channels / t.group;
  for (int64_t n = 0; n < t.batch; ++n)
    for (int64_t y = 0; y < oh; ++y)
      for (int64_t q = 0; q < ow; ++q)
        for (int64_t m = 0; m < t.out_channels; ++m) {
          int64_t sum = 0;
          for (int64_t ky = 0; ky < t.kernel_h; ++ky)
            for (int64_t kx = 0; kx < t.kernel_w; ++kx) {
              const int64_t iy = y * t.stride - t.pad + ky * t.dilation, ix = q * t.stride - t.pad + kx * t.dilation;
              if (iy < 0 || ix < 0 || iy >= t.height || ix >= t.width) continue;
              for (int64_t c = 0; c < depth; ++c) {
                const uint8_t a = x[static_cast<size_t>(((n * t.height + iy) * t.width + ix) * t.channels +
                                                        m / per_group * depth + c)];
                const uint8_t b = w[static_cast<size_t>(((m * depth + c) * t.kernel_h + ky) * t.kernel_w + kx)];
                sum += int64_t{value(a, t.x_signed) - p.x_zero} * (value(b, t.w_signed) - p.zero_of(m));
              }
            }
          want.push_back(p.expected(sum, m));
        }
  expect_outputs(f, p, want, "conv case " + std::to_string(seed) + " " + f.kernel());
}

}  // namespace

TEST(qconv_against_sums) {
  const ConvCase cases[] = {
      // N H W C M kh kw s p d g, x w signed, per channel, bias, w_zero, constant, out
      {1, 5, 5, 8, 8, 1, 1, 1, 0, 1, 1, false, true, true, true, 0, true, Out::kBytes},
      {2, 7, 6, 16, 33, 3, 3, 1, 1, 1, 1, true, true, true, true, 0, true, Out::kBytes},
      {1, 9, 9, 3, 17, 3, 3, 2, 1, 1, 1, false, true, true, true, 0, true, Out::kBytes},
      {1, 12, 11, 3, 40, 7, 7, 2, 3, 1, 1, true, true, false, true, 0, true, Out::kBytes},
      {1, 8, 8, 20, 5, 3, 3, 1, 2, 2, 1, false, false, true, true, 128, true, Out::kBytes},
      {1, 8, 8, 12, 24, 3, 3, 1, 1, 1, 4, true, false, true, true, 7, true, Out::kBytes},
      {2, 6, 5, 37, 70, 3, 3, 1, 1, 1, 1, false, false, true, true, -1000, true, Out::kBytes},
      {1, 6, 6, 7, 9, 3, 2, 1, 1, 1, 1, true, true, true, false, -1000, false, Out::kFloat},
      {1, 6, 6, 64, 32, 1, 1, 2, 0, 1, 1, false, true, false, true, 3, false, Out::kInt32},
      {1, 7, 7, 24, 24, 3, 3, 1, 1, 1, 24, true, true, true, true, 0, true, Out::kBytes},
      {2, 9, 7, 33, 33, 5, 5, 2, 2, 1, 33, false, false, true, true, -1000, true, Out::kBytes},
      {1, 9, 7, 19, 19, 3, 3, 1, 2, 2, 19, false, true, true, true, 5, false, Out::kFloat},
      {1, 4, 4, 16, 16, 2, 2, 1, 0, 1, 16, true, false, false, false, -1000, false, Out::kInt32},
      {2, 6, 40, 33, 33, 3, 3, 1, 1, 1, 33, true, true, true, false, 0, true, Out::kFloat},
      {2, 11, 9, 80, 80, 3, 3, 2, 1, 1, 80, false, false, true, true, 128, true, Out::kBytes},
      {1, 12, 12, 70, 70, 5, 3, 1, 3, 1, 70, false, true, true, true, 0, true, Out::kBytes},
      {1, 20, 20, 64, 64, 3, 3, 1, 1, 1, 1, false, true, true, true, 0, false, Out::kBytes},
      {2, 3, 2, 8, 20, 3, 5, 1, 2, 1, 1, false, true, true, true, 0, true, Out::kBytes},  // wider than the image
      {1, 9, 30, 32, 16, 5, 5, 2, 2, 1, 1, true, false, true, true, -1000, true, Out::kBytes},
      {1, 8, 8, 72, 24, 3, 3, 1, 1, 1, 1, true, true, true, true, 0, true, Out::kBytes},
  };
  uint64_t seed = 0;
  for (const ConvCase& t : cases) check_conv(t, ++seed);
}

TEST(qmatmul_against_sums) {
  uint64_t seed = 100;
  for (int64_t m : {1, 5, 17})
    for (int64_t n : {1, 16, 35})
      for (int64_t k : {0, 1, 13, 64})
        for (int variant = 0; variant < 16; ++variant) {
          Random r(++seed);
          const bool trans_a = variant & 1, trans_b = variant & 2, b_constant = variant & 4, batched = variant & 8;
          const bool x_signed = seed % 2, w_signed = seed % 3 != 0;
          const Out out = seed % 5 == 0 ? Out::kFloat : seed % 7 == 0 ? Out::kInt32 : Out::kBytes;
          const int64_t batches = 3, b_batches = batched ? batches : 1;
          const auto a = random_bytes(r, static_cast<size_t>(batches * m * k)),
                     b = random_bytes(r, static_cast<size_t>(b_batches * n * k));
          const Parameters p(r, n, x_signed, w_signed, variant % 3 == 0, variant % 5 != 0,
                             seed % 4 == 0 ? -1000
                             : w_signed    ? 0
                                           : 128,
                             out);
          OpFixture f("QMatMul");
          f.input(x_signed ? DType::kInt8 : DType::kUint8,
                  trans_a ? std::vector<int64_t>{batches, k, m} : std::vector<int64_t>{batches, m, k}, a.data(),
                  a.size());
          p.add_quantization_of_x(f, b_constant);
          std::vector<int64_t> dims = trans_b ? std::vector<int64_t>{n, k} : std::vector<int64_t>{k, n};
          if (batched) dims.insert(dims.begin(), batches);
          f.input(w_signed ? DType::kInt8 : DType::kUint8, dims, b.data(), b.size(), b_constant);
          p.add_rest(f, b_constant);
          f.output(p.type(), {batches, m, n});
          f.set_integer("trans_a", trans_a).set_integer("trans_b", trans_b);
          EXPECT_OK(f.run());
          std::vector<uint32_t> want;
          for (int64_t i = 0; i < batches; ++i)
            for (int64_t row = 0; row < m; ++row)
              for (int64_t col = 0; col < n; ++col) {
                int64_t sum = 0;
                for (int64_t d = 0; d < k; ++d) {
                  const uint8_t av = a[static_cast<size_t>(i * m * k + (trans_a ? d * m + row : row * k + d))];
                  const uint8_t bv =
                      b[static_cast<size_t>((batched ? i : 0) * n * k + (trans_b ? col * k + d : d * n + col))];
                  sum += int64_t{value(av, x_signed) - p.x_zero} * (value(bv, w_signed) - p.zero_of(col));
                }
                want.push_back(p.expected(sum, col));
              }
          expect_outputs(f, p, want, "matmul case " + std::to_string(seed) + " " + f.kernel());
        }
}

// Heads side by side in a row, as attention has them, against the same product of matrices that lie apart.
TEST(qmatmul_reads_and_writes_through_permutations) {
  constexpr int64_t h = 3, k = 13;
  for (int64_t m : {1, 17})
    for (int64_t n : {5, 40})
      for (int variant = 0; variant < 8; ++variant) {
        Random r(static_cast<uint64_t>(m * 100 + n + variant));
        const bool b_by_rows = variant & 1, x_signed = variant & 2, a_moved = variant & 4;
        const auto a = random_bytes(r, static_cast<size_t>(h * m * k)),
                   b = random_bytes(r, static_cast<size_t>(h * n * k));
        const auto product = [&](bool permuted) {
          const auto at_a = [&](int64_t head, int64_t row, int64_t i) {
            return permuted ? a_moved ? (i * h + head) * m + row : (row * h + head) * k + i : (head * m + row) * k + i;
          };
          const auto at_b = [&](int64_t head, int64_t i, int64_t col) {
            return permuted ? b_by_rows ? (col * h + head) * k + i : (i * h + head) * n + col
                            : (head * k + i) * n + col;
          };
          std::vector<uint8_t> pa(a.size()), pb(b.size());
          for (int64_t head = 0; head < h; ++head)
            for (int64_t i = 0; i < k; ++i) {
              for (int64_t row = 0; row < m; ++row)
                pa[static_cast<size_t>(at_a(head, row, i))] = a[static_cast<size_t>((head * m + row) * k + i)];
              for (int64_t col = 0; col < n; ++col)
                pb[static_cast<size_t>(at_b(head, i, col))] = b[static_cast<size_t>((head * k + i) * n + col)];
            }
          using Dims = std::vector<int64_t>;
          OpFixture f("QMatMul");
          f.input(x_signed ? DType::kInt8 : DType::kUint8,
                  !permuted ? Dims{h, m, k}
                  : a_moved ? Dims{k, h, m}
                            : Dims{m, h, k},
                  pa.data(), pa.size());
          f.scalar<float>(0.02f);
          if (x_signed) f.scalar<int8_t>(-3);
          else f.scalar<uint8_t>(120);
          f.input(DType::kUint8,
                  !permuted   ? Dims{h, k, n}
                  : b_by_rows ? Dims{n, h, k}
                              : Dims{k, h, n},
                  pb.data(), pb.size())
              .scalar<float>(0.01f)
              .scalar<uint8_t>(99);
          f.scalar<float>(0.3f).scalar<uint8_t>(9).output<uint8_t>(permuted ? Dims{m, h, n} : Dims{h, m, n});
          if (permuted) {
            f.set_integers("perm_a", a_moved ? Dims{1, 2, 0} : Dims{1, 0, 2})
                .set_integers("perm_b", b_by_rows ? Dims{1, 2, 0} : Dims{1, 0, 2});
            f.set_integers("perm_y", {1, 0, 2});
          }
          EXPECT_OK(f.run());
          std::vector<uint8_t> got(static_cast<size_t>(h * m * n));
          for (int64_t head = 0; head < h; ++head)
            for (int64_t row = 0; row < m; ++row)
              for (int64_t col = 0; col < n; ++col)
                got[static_cast<size_t>((head * m + row) * n + col)] =
                    f.out<uint8_t>(0)[permuted ? (row * h + head) * n + col : (head * m + row) * n + col];
          return got;
        };
        const auto got = product(true), want = product(false);
        EXPECT_SAME(got.data(), want.data(), want.size(),
                    "variant " + std::to_string(variant) + " of " + std::to_string(m) + " x " + std::to_string(n));
      }
  OpFixture bad("QMatMul");
  bad.input<uint8_t>({2, 2}, {1, 2, 3, 4})
      .scalar<float>(1.0f)
      .absent()
      .input<int8_t>({2, 2}, {1, 2, 3, 4})
      .scalar<float>(1.0f)
      .absent();
  bad.scalar<float>(1.0f).absent().output<uint8_t>({2, 2}).set_integers("perm_a", {0, 0});
  EXPECT_CODE(bad.run(), Code::kInvalidPlan);
  OpFixture moved("QMatMul");
  moved.input<uint8_t>({2, 2}, {1, 2, 3, 4})
      .scalar<float>(1.0f)
      .absent()
      .input<int8_t>({2, 2}, {1, 2, 3, 4})
      .scalar<float>(1.0f)
      .absent();
  moved.scalar<float>(1.0f).absent().output<uint8_t>({2, 2}).set_integers("perm_y", {1, 0});
  EXPECT_CODE(moved.run(), Code::kInvalidPlan);
}

TEST(qconv_residual_and_table_are_the_separate_steps) {
  for (const int64_t group : {int64_t{1}, int64_t{40}}) {
    Random r(7);
    const int64_t channels = 40;
    const auto x = random_bytes(r, 30 * 40), w = random_bytes(r, static_cast<size_t>(40 * (channels / group))),
               res = random_bytes(r, 30 * 40);
    const auto table = random_bytes(r, 256);
    OpFixture f("QConv");
    f.input(DType::kUint8, {1, 5, 6, channels}, x.data(), x.size()).scalar<float>(0.02f).scalar<uint8_t>(120);
    f.input(DType::kInt8, {channels, channels / group, 1, 1}, w.data(), w.size(), true).scalar<float>(0.01f).absent();
    f.scalar<float>(0.3f).scalar<uint8_t>(9).absent();
    f.input(DType::kUint8, {1, 5, 6, channels}, res.data(), res.size()).scalar<float>(0.11f).scalar<uint8_t>(77);
    f.scalar<float>(0.4f).scalar<uint8_t>(30).input(DType::kUint8, {256}, table.data(), table.size(), true);
    f.output<uint8_t>({1, 5, 6, channels});
    f.set_integer("group", group).set_integer("qmin", 9).set_integer("sum_qmin", 30);
    EXPECT_OK(f.run());
    const float ra = 0.3f / 0.4f, rb = 0.11f / 0.4f;
    const float za = ra * 9.0f, zb = rb * 77.0f, k = (30.0f - za) - zb;
    const float product = 0.02f * 0.01f, m = product / 0.3f;
    std::vector<uint8_t> want;
    for (int64_t p = 0; p < 30; ++p)
      for (int64_t n = 0; n < channels; ++n) {
        int32_t acc = 0;
        for (int64_t c = 0; c < channels / group; ++c)
          acc += (x[static_cast<size_t>(p * channels + (group == 1 ? c : n))] - 120) *
                 value(w[static_cast<size_t>(n * (channels / group) + c)], true);
        const int32_t q = requantize_one(acc, m, {0.0f, 246.0f, 9});
        const float a = ra * static_cast<float>(q),
                    b = rb * static_cast<float>(res[static_cast<size_t>(p * channels + n)]), ab = a + b;
        want.push_back(table[static_cast<size_t>(round_half_even(clamp_float(ab + k, 30.0f, 255.0f)))]);
      }
    EXPECT_SAME(f.out<uint8_t>(0), want.data(), want.size(), "group " + std::to_string(group));
  }
}

TEST(qconv_refuses_bad_scales) {
  OpFixture f("QConv");
  f.input<uint8_t>({1, 2, 2, 4}, std::vector<uint8_t>(16, 1)).scalar<float>(1.0f).absent();
  f.constant<int8_t>({4, 4, 1, 1}, std::vector<int8_t>(16, 1))
      .constant<float>({4}, {1, 0, 1, 1})
      .absent()
      .scalar<float>(1.0f);
  f.output<uint8_t>({1, 2, 2, 4});
  EXPECT_CODE(f.run(), Code::kData);
}

}  // namespace octavo::test
