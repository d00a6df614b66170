// Folding alone: one bias and one multiplier per column stand for all scales and zero points.
#include "ops/product/product_fold.h"

#include <cmath>
#include <vector>

#include "test/check.h"

namespace octavo::test {
namespace {

constexpr size_t kColumns = 3, kPadded = 4, kDepth = 5;

// Columns of a product, and room for what is folded of them.
struct Fixture {
  std::vector<int32_t> sums = {7, -3, 40, 0};
  std::vector<uint32_t> magnitudes = {9, 5, 40, 0};
  std::vector<float> w_scale = {0.5f, 0.25f, 2.0f};
  std::vector<int8_t> w_zero = {1, 2, 3};
  std::vector<int32_t> bias = {10, -20, 30};
  int32_t bias_out[2 * kPadded] = {}, w_zero_out[2 * kPadded] = {}, net_sum[2 * kPadded] = {};
  float multiplier[2 * kPadded] = {}, float_bias[2 * kPadded] = {};
  ProductParameters parameters;
  ProductShape shape;
  ProductEpilogue epilogue;

  Fixture() {
    parameters.x_format = format_of(DType::kUint8), parameters.w_format = format_of(DType::kInt8);
    parameters.q_format = format_of(DType::kUint8);
    parameters.counts.w_scales = kColumns;
    parameters.x = {0.125f, 100};
    parameters.y = {0.5f, 7};
    parameters.w_scale = w_scale.data();
    parameters.bias = bias.data();
    shape.n = kColumns, shape.padded = kPadded, shape.depth = kDepth;
    shape.sums = sums.data();
    shape.w_zero_folded = true;
  }
  Status fold() {
    return fold_product(parameters, shape, {bias_out, multiplier, float_bias, w_zero_out, net_sum}, &epilogue);
  }
};

}  // namespace

TEST(fold_puts_the_zero_point_of_x_into_the_bias) {
  Fixture f;
  EXPECT_OK(f.fold());
  for (size_t n = 0; n < kColumns; ++n) {
    EXPECT_EQ(f.bias_out[n], f.bias[n] - 100 * f.sums[n]);
    EXPECT_EQ(f.multiplier[n], 0.125f * f.w_scale[n] / 0.5f);
  }
  EXPECT_EQ(f.bias_out[kColumns], 0);
  EXPECT_EQ(f.multiplier[kColumns], 0.0f);
  EXPECT(!f.epilogue.correct_rows && !f.epilogue.rows.any());
  EXPECT_EQ(f.epilogue.x_zero, 100);
  EXPECT_EQ(f.epilogue.requantize.lo, -7.0f);
  EXPECT_EQ(f.epilogue.requantize.hi, 248.0f);
}

TEST(fold_moves_x_to_the_signedness_of_the_kernel) {
  Fixture f;
  f.shape.a_signed = true;
  EXPECT_OK(f.fold());
  EXPECT_EQ(f.epilogue.x_zero, -28);
  EXPECT_EQ(f.bias_out[2], 30 + 28 * 40);
}

TEST(fold_leaves_zero_points_of_weights_to_the_rows) {
  Fixture f;
  f.shape.w_zero_folded = false;
  f.parameters.w_zero = f.w_zero.data();
  f.parameters.counts.w_zeros = kColumns;
  EXPECT_OK(f.fold());
  EXPECT(f.epilogue.correct_rows && !f.epilogue.same_w_zero);
  for (size_t n = 0; n < kColumns; ++n) {
    EXPECT_EQ(f.w_zero_out[n], f.w_zero[n]);
    EXPECT_EQ(f.net_sum[n], f.sums[n] - static_cast<int32_t>(kDepth) * f.w_zero[n]);
    EXPECT_EQ(f.bias_out[n], f.bias[n] - 100 * f.net_sum[n]);
  }
  f.parameters.counts.w_zeros = 1;
  EXPECT_OK(f.fold());
  EXPECT(f.epilogue.correct_rows && f.epilogue.same_w_zero);
  EXPECT_EQ(f.w_zero_out[2], 1);
  // uint8 weights reach a kernel less 128.
  std::vector<uint8_t> middle = {128};
  f.parameters.w_format = format_of(DType::kUint8);
  f.parameters.w_zero = middle.data();
  f.shape.w_offset = 128;
  EXPECT_OK(f.fold());
  EXPECT(!f.epilogue.correct_rows);
}

TEST(fold_keeps_parameters_of_rows_apart) {
  Fixture f;
  const float scales[] = {0.5f, 0.25f};
  const uint8_t zeros[] = {3, 250};
  f.parameters.output = ProductOutput::kFloat;
  f.parameters.counts.x_scales = f.parameters.counts.x_zeros = 2;
  f.parameters.counts.per_row = true;
  f.parameters.x_in_run = true, f.parameters.order = ScaleOrder::kRowFirst;
  f.parameters.row_scale = scales, f.parameters.row_zero = zeros;
  f.shape.a_signed = true;
  EXPECT_OK(f.fold());
  EXPECT(f.epilogue.rows.any());
  EXPECT_EQ(f.epilogue.rows.scale_of(1), 0.25f);
  EXPECT_EQ(f.epilogue.rows.zero_of(0), 3 - 128);
  EXPECT_EQ(f.epilogue.rows.zero_of(1), 250 - 128);
  for (size_t n = 0; n < kColumns; ++n) {
    EXPECT_EQ(f.bias_out[n], f.bias[n]);
    EXPECT_EQ(f.multiplier[n], f.w_scale[n]);
    EXPECT_EQ(f.net_sum[n], f.sums[n]);
  }
  f.parameters.counts.x_zeros = 1;
  EXPECT_OK(f.fold());
  EXPECT_EQ(f.epilogue.rows.zero_of(1), 3 - 128);
}

TEST(fold_repeats_parameters_over_batches_with_sums_of_their_own) {
  Fixture f;
  f.sums = {7, -3, 40, 0, 1, 2, 3, 0};
  f.shape.sums = f.sums.data();
  f.shape.groups = 2;
  f.shape.repeat = true;
  EXPECT_OK(f.fold());
  for (size_t n = 0; n < kColumns; ++n) {
    EXPECT_EQ(f.bias_out[kPadded + n], f.bias[n] - 100 * f.sums[kPadded + n]);
    EXPECT_EQ(f.net_sum[kPadded + n], f.sums[kPadded + n]);
    EXPECT_EQ(f.multiplier[kPadded + n], f.multiplier[n]);
  }
}

TEST(fold_bounds_the_sums_of_known_weights) {
  Fixture f;
  EXPECT_OK(f.fold());
  // The last multiplier is 1/2; of weights that are not known 5 * 155 * 128 + 30 is the bound, half of it too much.
  EXPECT(!f.epilogue.requantize.fits_int32 && !f.epilogue.requantize.fits_int16);
  f.w_scale[2] = 1.0f;
  EXPECT_OK(f.fold());
  EXPECT(f.epilogue.requantize.fits_int32 && f.epilogue.requantize.fits_int16 && f.epilogue.requantize.exact_float);
  // Largest sum of column 2: |30 - 100 * 40 + 127.5 * 40| + 127.5 * 40.
  f.shape.magnitudes = f.magnitudes.data();
  const float largest = 6230;
  f.w_scale[2] = static_cast<float>(1.001 * 32000 / largest * 0.5 / 0.125);
  EXPECT_OK(f.fold());
  EXPECT(!f.epilogue.requantize.fits_int16 && !f.epilogue.requantize.exact_float);
  f.w_scale[2] = static_cast<float>(0.999 * 32000 / largest * 0.5 / 0.125);
  EXPECT_OK(f.fold());
  EXPECT(f.epilogue.requantize.fits_int16);
  f.bias[0] = 5000000;
  EXPECT_OK(f.fold());
  EXPECT(!f.epilogue.requantize.fits_int16);
  f.w_scale[0] = 1e-3f;
  EXPECT_OK(f.fold());
  EXPECT(f.epilogue.requantize.fits_int16 && !f.epilogue.requantize.exact_float);
}

TEST(fold_refuses_scales_that_are_none) {
  for (const float bad : {0.0f, -1.0f, INFINITY, NAN}) {
    Fixture f;
    f.w_scale[1] = bad;
    const Status status = f.fold();
    EXPECT_CODE(status, Code::kData);
  }
  Fixture f;
  f.w_scale[2] = 3e38f;
  f.parameters.x.scale = 1e3f;
  EXPECT_CODE(f.fold(), Code::kData);
}

TEST(fold_describes_a_residual) {
  Fixture f;
  f.parameters.has_residual = true;
  f.parameters.residual = {0.25f, 9};
  f.parameters.residual_signed = true;
  f.parameters.sum = {1.0f, 4};
  f.parameters.sum_clamp = {10, 200};
  EXPECT_OK(f.fold());
  const Q8Binary& r = f.epilogue.residual;
  EXPECT(!r.a_signed && r.b_signed && !r.b_scalar);
  EXPECT_EQ(r.ra, 0.5f);
  EXPECT_EQ(r.rb, 0.25f);
  EXPECT_EQ(r.za, 7);
  EXPECT_EQ(r.zb, 9);
  EXPECT_EQ(r.zy, 4);
  EXPECT_EQ(r.qmin, 10);
  EXPECT_EQ(r.qmax, 200);
}

}  // namespace octavo::test
