// Integer products of 16-bit activations against exact sums: every order in which a step reads its operands, outputs of
// 16 and 8 bits and real ones, weights of every kind, zero points at both ends.
#include <cmath>
#include <vector>

#include "engine/format.h"
#include "test/op_fixture.h"
#include "test/ops/reference_conv.h"

namespace octavo::test {
namespace {

struct WideCase {
  const char* op;
  ConvCase conv;
  bool matrix = false, trans_b = false;
};

// A product of matrices is a convolution of one tap over m pixels.
WideCase matrix(int64_t m, int64_t k, int64_t n, bool trans_b) {
  return {"QMatMul", {1, k, n, 1, {m}, {1}, {1}, {0, 0}, {1}, {}}, true, trans_b};
}
WideCase conv(const char* op, int64_t channels, int64_t filters, int64_t group, int64_t kernel, int64_t stride,
              int64_t pad, int64_t dilation = 1) {
  return {op,
          {2,
           channels,
           filters,
           group,
           {7, 9},
           {kernel, kernel},
           {stride, stride},
           {pad, pad, pad, pad},
           {dilation, dilation},
           {}}};
}

const WideCase kCases[] = {
    matrix(1, 1, 1, false),
    matrix(5, 37, 19, false),
    matrix(17, 130, 70, true),
    matrix(1, 1030, 67, true),
    matrix(2, 70000, 3, false),  // more products than a sum of bytes holds
    conv("QConv", 16, 35, 1, 1, 1, 0),
    conv("QConv", 16, 9, 1, 1, 2, 0),
    conv("QConv", 3, 5, 1, 3, 2, 1),
    conv("QConv", 16, 24, 1, 3, 1, 1),
    conv("QConv", 7, 9, 1, 3, 1, 2, 2),
    conv("QConv", 80, 20, 1, 3, 1, 1),
    conv("QConv", 12, 10, 2, 3, 1, 1),
    conv("QConv", 19, 19, 19, 3, 1, 1),
    conv("QConv", 33, 33, 33, 5, 2, 2),
    conv("QConv", 8, 8, 8, 2, 1, 0, 3),
    conv("QConvTranspose", 7, 5, 1, 3, 2, 1),
    conv("QConvTranspose", 6, 4, 2, 2, 2, 0),
};

// Sums of (x - zx)(w - zw), which double holds.
std::vector<double> sums(const WideCase& c, const std::vector<int32_t>& x, const std::vector<int32_t>& w) {
  if (!c.matrix)
    return reference_conv(c.conv, std::string(c.op) == "QConvTranspose", {x.begin(), x.end()}, {w.begin(), w.end()},
                          {});
  const int64_t m = c.conv.in[0], k = c.conv.channels, n = c.conv.filters;
  std::vector<double> y;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      int64_t sum = 0;
      for (int64_t d = 0; d < k; ++d)
        sum += static_cast<int64_t>(x[static_cast<size_t>(i * k + d)]) *
               w[static_cast<size_t>(c.trans_b ? j * k + d : d * n + j)];
      y.push_back(static_cast<double>(sum));
    }
  return y;
}

void check(const WideCase& c, uint64_t seed) {
  Random r(seed);
  const ConvCase& g = c.conv;
  const bool transposed = std::string(c.op) == "QConvTranspose", x_signed = seed & 1, extreme = seed % 3 == 0;
  constexpr DType kWeights[] = {DType::kInt8, DType::kUint8, DType::kInt4, DType::kUint8};
  constexpr DType kOutputs[] = {DType::kInt16, DType::kUint16, DType::kFloat32, DType::kUint8};
  const DType x_type = x_signed ? DType::kInt16 : DType::kUint16, w_type = kWeights[seed / 2 % 4],
              out = kOutputs[seed / 8 % 4];
  const bool constant = seed / 32 % 2 == 0, per_column = seed / 64 % 2 && !(transposed && g.group > 1);
  const Format x_format = format_of(x_type), w_format = format_of(w_type);
  const int64_t n = g.filters, of_w = c.matrix ? g.channels * n : product(g.kernel) * g.channels * n / g.group;
  std::vector<int32_t> x, w, w_zero;
  std::vector<float> scale;
  std::vector<int32_t> bias;
  std::vector<float> real_bias;
  const int32_t x_zero = extreme ? (seed % 2 ? x_format.high : x_format.low)
                                 : static_cast<int32_t>(r.between(x_format.low, x_format.high));
  for (int64_t i = 0; i < g.batch * product(g.in) * g.channels; ++i)
    x.push_back(static_cast<int32_t>(extreme ? (i % 2 ? x_format.low : x_format.high)
                                             : r.between(x_format.low, x_format.high)));
  for (int64_t i = 0; i < of_w; ++i)
    w.push_back(static_cast<int32_t>(extreme ? w_format.low : r.between(w_format.low, w_format.high)));
  for (int64_t i = 0; i < (per_column ? n : 1); ++i) {
    w_zero.push_back(static_cast<int32_t>(seed % 5 ? r.between(w_format.low, w_format.high) : w_format.low));
    scale.push_back(r.real(0.001f, 0.004f));
  }
  for (int64_t i = 0; i < n; ++i) {
    bias.push_back(static_cast<int32_t>(r.next()));
    real_bias.push_back(r.real(-9, 9));
  }
  const auto stored = [](const std::vector<int32_t>& levels, const Format& f) {
    std::vector<uint8_t> bytes((levels.size() * static_cast<size_t>(f.bits) + 7) / 8);
    for (size_t i = 0; i < levels.size(); ++i) set_level(bytes.data(), i, f, levels[i]);
    return bytes;
  };
  const auto x_bytes = stored(x, x_format), w_bytes = stored(w, w_format), zx_bytes = stored({x_zero}, x_format),
             zw_bytes = stored(w_zero, w_format);
  const bool real = out == DType::kFloat32;
  const int32_t y_zero = out == DType::kUint8 ? 3 : out == DType::kInt16 ? -777 : 40001;
  const uint16_t zy = static_cast<uint16_t>(y_zero);
  const float x_scale = 0.003f;
  // About a third of the outputs saturate.
  const float y_scale = real ? 1.0f
                             : static_cast<float>(x_scale * 0.002f * 20000.0f * static_cast<float>(w_format.high + 1) *
                                                  std::sqrt(static_cast<float>(of_w) / static_cast<float>(n)) /
                                                  (out == DType::kUint8 ? 128 : 32768));

  OpFixture f(c.op);
  std::vector<int64_t> x_dims = {g.batch}, y_dims = {g.batch}, w_dims;
  const std::vector<int64_t> out_sizes = g.out(transposed);
  x_dims.insert(x_dims.end(), g.in.begin(), g.in.end()),
      y_dims.insert(y_dims.end(), out_sizes.begin(), out_sizes.end());
  x_dims.push_back(g.channels), y_dims.push_back(n);
  if (c.matrix) w_dims = c.trans_b ? std::vector<int64_t>{n, g.channels} : std::vector<int64_t>{g.channels, n};
  else {
    w_dims = transposed ? std::vector<int64_t>{g.channels, n / g.group} : std::vector<int64_t>{n, g.channels / g.group};
    w_dims.insert(w_dims.end(), g.kernel.begin(), g.kernel.end());
  }
  const std::vector<int64_t> columns = per_column ? std::vector<int64_t>{n} : std::vector<int64_t>{};
  f.input(x_type, x_dims, x_bytes.data(), x_bytes.size()).scalar<float>(x_scale);
  f.input(x_type, {}, zx_bytes.data(), zx_bytes.size(), constant);
  f.input(w_type, w_dims, w_bytes.data(), w_bytes.size(), true);
  f.input(DType::kFloat32, columns, scale.data(), scale.size() * sizeof(float), constant);
  f.input(w_type, columns, zw_bytes.data(), zw_bytes.size(), constant);
  if (real) f.absent().absent().constant<float>({n}, real_bias);
  else f.scalar<float>(y_scale).input(out, {}, &zy, byte_size(out), constant).constant<int32_t>({n}, bias);
  f.output(out, y_dims);
  if (c.matrix) f.set_integer("trans_b", c.trans_b);
  else
    f.set_integers("strides", g.strides)
        .set_integers("pads", g.pads)
        .set_integers("dilations", g.dilations)
        .set_integer("group", g.group);
  EXPECT_OK(f.run());

  for (int32_t& v : x) v -= x_zero;
  for (size_t i = 0; i < w.size(); ++i) {
    const size_t per_group = static_cast<size_t>(n / g.group), taps = static_cast<size_t>(product(g.kernel));
    const size_t column = c.matrix     ? (c.trans_b ? i / static_cast<size_t>(g.channels) : i % static_cast<size_t>(n))
                          : transposed ? i / taps % per_group
                                       : i / (w.size() / static_cast<size_t>(n));
    w[i] -= w_zero[per_column ? column : 0];
  }
  const std::vector<double> want = sums(c, x, w);
  const Format y_format = real ? Format{} : format_of(out);
  std::vector<float> reals;
  std::vector<int32_t> levels, got;
  for (size_t i = 0; i < want.size(); ++i) {
    const size_t column = i % static_cast<size_t>(n);
    const float product = x_scale * scale[per_column ? column : 0];
    if (real) {
      reals.push_back(static_cast<float>(want[i] * static_cast<double>(product)) + real_bias[column]);
      continue;
    }
    const double level = (want[i] + bias[column]) * static_cast<double>(product / y_scale);
    const double bounded = std::min<double>(std::max<double>(level, y_format.low - y_zero), y_format.high - y_zero);
    levels.push_back(static_cast<int32_t>(std::nearbyint(bounded)) + y_zero);
    got.push_back(level_at(f.out<uint8_t>(0), i, y_format));
  }
  const std::string what = "case " + std::to_string(seed) + " " + f.kernel();
  if (real) EXPECT_SAME(f.out<float>(0), reals.data(), reals.size(), what);
  else EXPECT_SAME(got.data(), levels.data(), levels.size(), what);
}

}  // namespace

TEST(products_of_16_bit_activations_are_exact) {
  uint64_t seed = 0;
  for (const WideCase& c : kCases)
    for (int i = 0; i < (c.conv.channels > 2000 ? 6 : 64); ++i) check(c, seed += c.conv.channels > 2000 ? 3 : 1);
}

TEST(products_of_16_bit_activations_refuse_sums_and_rows) {
  const auto fixture = [](DType out, int64_t scales) {
    auto f = std::make_unique<OpFixture>("QMatMul");
    f->input<int16_t>({3, 2}, {1, -2, 3, 4, 5, 6});
    f->input<float>({scales}, std::vector<float>(static_cast<size_t>(scales), 1.0f)).absent();
    f->constant<int8_t>({2, 2}, {1, 2, 3, 4}).scalar<float>(1.0f).absent();
    f->output(out, {3, 2});
    return f;
  };
  EXPECT_OK(fixture(DType::kFloat32, 1)->run());
  EXPECT_CODE(fixture(DType::kInt32, 1)->run(), Code::kUnsupported);
  EXPECT_CODE(fixture(DType::kFloat32, 3)->run(), Code::kShape);
}

}  // namespace octavo::test
