// QMatMul whose rows have scales and zero points of their own, and outputs of 16 bits.
#include <cmath>
#include <vector>

#include "kernels/requantize/requantize.h"
#include "test/op_fixture.h"

namespace octavo::test {
namespace {

int32_t value(uint8_t b, bool is_signed) { return is_signed ? static_cast<int8_t>(b) : b; }

}  // namespace

TEST(qmatmul_takes_scales_and_zero_points_of_rows) {
  uint64_t seed = 0;
  for (const int64_t m : {1, 5, 17})
    for (const int64_t n : {1, 16, 37})
      for (const int64_t k : {0, 1, 13, 64})
        for (int variant = 0; variant < 32; ++variant) {
          Random r(++seed);
          const bool x_signed = variant & 1, w_signed = variant & 2, constant_b = variant & 4, real = variant & 8;
          const bool constant_rows = variant & 16, scales_of_rows = real && seed % 3, zeros_of_rows = seed % 5 != 0;
          const bool w_zeros = seed % 2, bias = seed % 7 < 3, own_b = seed % 11 == 0;
          const int64_t batches = variant % 4 ? 2 : 1, rows = batches * m;
          const size_t per_b = static_cast<size_t>(k * n);
          std::vector<uint8_t> a(static_cast<size_t>(rows * k)),
              b(own_b ? static_cast<size_t>(batches) * per_b : per_b);
          for (uint8_t& v : a) v = static_cast<uint8_t>(r.next());
          for (uint8_t& v : b) v = static_cast<uint8_t>(r.next());
          std::vector<float> scales(scales_of_rows ? static_cast<size_t>(rows) : 1), column(static_cast<size_t>(n)),
              real_bias(static_cast<size_t>(n));
          std::vector<uint8_t> zeros(zeros_of_rows ? static_cast<size_t>(rows) : 1), w_zero(static_cast<size_t>(n));
          std::vector<int32_t> int_bias(static_cast<size_t>(n));
          for (float& s : scales) s = r.real(0.01f, 3.0f);
          if (scales_of_rows && (rows > 1 || seed % 4)) scales[0] = 0;  // a row of zeros
          for (uint8_t& z : zeros) z = static_cast<uint8_t>(r.next());
          for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
            column[i] = r.real(0.01f, 3.0f), real_bias[i] = r.real(-9, 9);
            w_zero[i] = static_cast<uint8_t>(r.next()), int_bias[i] = static_cast<int32_t>(r.between(-9999, 9999));
          }
          using Dims = std::vector<int64_t>;
          const auto dims_of = [&](size_t count) {
            return count == 1 && rows > 1 ? Dims{} : seed % 4 ? Dims{batches, m, 1} : Dims{rows};
          };
          const DType x_type = x_signed ? DType::kInt8 : DType::kUint8,
                      w_type = w_signed ? DType::kInt8 : DType::kUint8;
          OpFixture f("QMatMul");
          f.input(x_type, {batches, m, k}, a.data(), a.size());
          f.input(DType::kFloat32, dims_of(scales.size()), scales.data(), scales.size() * sizeof(float), constant_rows);
          f.input(x_type, dims_of(zeros.size()), zeros.data(), zeros.size(), constant_rows);
          f.input(w_type, own_b ? Dims{batches, k, n} : Dims{k, n}, b.data(), b.size(), constant_b);
          f.constant<float>({n}, column);
          if (w_zeros) f.input(w_type, {n}, w_zero.data(), w_zero.size(), constant_b);
          else f.absent();
          f.absent().absent();
          if (bias && real) f.constant<float>({n}, real_bias);
          else if (bias) f.constant<int32_t>({n}, int_bias);
          f.output(real ? DType::kFloat32 : DType::kInt32, {batches, m, n});
          EXPECT_OK(f.run());

          std::vector<uint32_t> want;
          const bool stated = rows == 1 && seed % 4;  // as [1, 1, 1]
          const bool per_row = stated || scales.size() > 1 || zeros.size() > 1;
          for (int64_t row = 0; row < rows; ++row)
            for (int64_t c = 0; c < n; ++c) {
              const int32_t zx = value(zeros[zeros.size() == 1 ? 0 : static_cast<size_t>(row)], x_signed);
              const int32_t zw = w_zeros ? value(w_zero[static_cast<size_t>(c)], w_signed) : 0;
              int64_t sum = bias && !real ? int_bias[static_cast<size_t>(c)] : 0;
              for (int64_t d = 0; d < k; ++d)
                sum += int64_t{value(a[static_cast<size_t>(row * k + d)], x_signed) - zx} *
                       (value(b[(own_b ? static_cast<size_t>(row / m) * per_b : 0) + static_cast<size_t>(d * n + c)],
                              w_signed) -
                        zw);
              const int32_t acc = static_cast<int32_t>(static_cast<uint32_t>(sum));
              if (!real) {
                want.push_back(static_cast<uint32_t>(acc));
                continue;
              }
              const float row_scale = scales[scales.size() == 1 ? 0 : static_cast<size_t>(row)];
              const float column_scale = column[static_cast<size_t>(c)];
              const float together = row_scale * column_scale, of_row = static_cast<float>(acc) * row_scale;
              float v = per_row ? of_row * column_scale : static_cast<float>(acc) * together;
              if (bias) v += real_bias[static_cast<size_t>(c)];
              uint32_t bits;
              std::memcpy(&bits, &v, sizeof bits);
              want.push_back(bits);
            }
          EXPECT_SAME(f.out<uint32_t>(0), want.data(), want.size(), "case " + std::to_string(seed) + " " + f.kernel());
        }
}

TEST(parameters_of_rows_need_sums_or_real_numbers_and_one_for_each_row) {
  const auto fixture = [](DType out, int64_t scales) {
    auto f = std::make_unique<OpFixture>("QMatMul");
    f->input<uint8_t>({3, 2}, {1, 2, 3, 4, 5, 6});
    f->input<float>({scales}, std::vector<float>(static_cast<size_t>(scales), 1.0f)).absent();
    f->constant<int8_t>({2, 2}, {1, 2, 3, 4}).scalar<float>(1.0f).absent();
    if (out == DType::kUint8) f->scalar<float>(1.0f);
    f->output(out, {3, 2});
    return f;
  };
  EXPECT_OK(fixture(DType::kFloat32, 3)->run());
  EXPECT_OK(fixture(DType::kInt32, 3)->run());
  EXPECT_CODE(fixture(DType::kFloat32, 2)->run(), Code::kShape);
  EXPECT_CODE(fixture(DType::kUint8, 3)->run(), Code::kShape);
  OpFixture conv("QConv");
  conv.input<uint8_t>({1, 1, 2, 1}, {1, 2}).constant<float>({2}, {1, 2}).absent();
  conv.constant<int8_t>({1, 1, 1, 1}, {1}).scalar<float>(1.0f).absent().output(DType::kFloat32, {1, 1, 2, 1});
  EXPECT_CODE(conv.run(), Code::kShape);
}

TEST(products_write_levels_of_16_bits) {
  for (const bool depthwise : {false, true})
    for (const bool matrix : {false, true})
      for (const DType out : {DType::kInt16, DType::kUint16})
        for (const bool constant : {false, true}) {
          if (depthwise && matrix) continue;
          Random r(depthwise * 8 + matrix * 4 + (out == DType::kInt16) * 2 + constant);
          const int64_t channels = 21, pixels = 35, depth = depthwise ? 1 : channels;
          std::vector<uint8_t> x(static_cast<size_t>(pixels * channels)), w(static_cast<size_t>(channels * depth));
          for (uint8_t& b : x) b = static_cast<uint8_t>(r.next());
          for (uint8_t& b : w) b = static_cast<uint8_t>(r.next());
          const int32_t y_zero = out == DType::kInt16 ? -1234 : 40001;
          const uint16_t zero_bits = static_cast<uint16_t>(y_zero);
          OpFixture f(matrix ? "QMatMul" : "QConv");
          f.input(DType::kUint8,
                  matrix ? std::vector<int64_t>{pixels, channels} : std::vector<int64_t>{1, 5, 7, channels}, x.data(),
                  x.size());
          f.scalar<float>(0.05f).scalar<uint8_t>(130);
          f.input(DType::kInt8,
                  matrix ? std::vector<int64_t>{channels, channels} : std::vector<int64_t>{channels, depth, 1, 1},
                  w.data(), w.size(), true);
          f.scalar<float>(0.02f).absent();
          f.input(DType::kFloat32, {}, std::vector<float>{0.004f}.data(), sizeof(float), constant);
          f.input(out, {}, &zero_bits, sizeof zero_bits, constant);
          f.output(out, matrix ? std::vector<int64_t>{pixels, channels} : std::vector<int64_t>{1, 5, 7, channels});
          f.set_integer("group", depthwise ? channels : 1).set_integer("trans_b", 1);
          f.set_integer("qmax", out == DType::kInt16 ? 20000 : 60000);
          EXPECT_OK(f.run());
          const float product = 0.05f * 0.02f, m = product / 0.004f;
          const int32_t low = out == DType::kInt16 ? -32768 : 0, high = out == DType::kInt16 ? 20000 : 60000;
          Requantize q;
          q.lo = static_cast<float>(low - y_zero), q.hi = static_cast<float>(high - y_zero), q.zero_point = y_zero;
          std::vector<uint16_t> want;
          for (size_t p = 0; p < static_cast<size_t>(pixels); ++p)
            for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
              int32_t acc = 0;
              for (size_t d = 0; d < static_cast<size_t>(depth); ++d)
                acc += (x[p * static_cast<size_t>(channels) + (depthwise ? c : d)] - 130) *
                       value(w[c * static_cast<size_t>(depth) + d], true);
              want.push_back(static_cast<uint16_t>(requantize_one(acc, m, q)));
            }
          EXPECT_SAME(f.out<uint16_t>(0), want.data(), want.size(), f.kernel());
        }
  OpFixture table("QMatMul");
  table.input<uint8_t>({1, 1}, {1}).scalar<float>(1.0f).absent().constant<int8_t>({1, 1}, {1}).scalar<float>(1.0f);
  table.absent().scalar<float>(1.0f).absent().absent();
  for (int i = 0; i < 5; ++i) table.absent();
  table.constant<uint8_t>({256}, std::vector<uint8_t>(256)).output<int16_t>({1, 1});
  EXPECT_CODE(table.run(), Code::kInvalidPlan);
}

}  // namespace octavo::test
