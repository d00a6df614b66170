// Products of signs by counts of bits give the bits of the same products of bytes.
#include <vector>

#include "engine/format.h"
#include "test/op_fixture.h"

namespace octavo::test {
namespace {

struct BitCase {
  const char* op;
  std::vector<int64_t> x, w, y;
  int64_t columns, group, stride, dilation, pad;
  bool trans_b;
};

const BitCase kCases[] = {
    {"QConv", {1, 6, 7, 64}, {40, 64, 3, 3}, {1, 4, 5, 40}, 40, 1, 1, 1, 0, false},
    {"QConv", {2, 5, 6, 37}, {33, 37, 3, 3}, {2, 5, 6, 33}, 33, 1, 1, 1, 1, false},
    {"QConv", {1, 9, 8, 130}, {6, 65, 3, 3}, {1, 5, 4, 6}, 6, 2, 2, 1, 1, false},
    {"QConv", {1, 9, 9, 3}, {7, 3, 3, 3}, {1, 9, 9, 7}, 7, 1, 1, 2, 2, false},
    {"QConv", {1, 3, 3, 32}, {65, 32, 1, 1}, {1, 3, 3, 65}, 65, 1, 1, 1, 0, false},
    {"QConv", {1, 5, 4, 6}, {6, 2, 3, 3}, {1, 5, 4, 6}, 6, 3, 1, 1, 1, false},
    {"QConv", {1, 1, 1, 9}, {3, 9, 5, 5}, {1, 1, 1, 3}, 3, 1, 1, 1, 2, false},
    {"QMatMul", {1, 512}, {512, 100}, {1, 100}, 100, 1, 0, 0, 0, false},
    {"QMatMul", {3, 17, 33}, {33, 70}, {3, 17, 70}, 70, 1, 0, 0, 0, false},
    {"QMatMul", {9, 257}, {35, 257}, {9, 35}, 35, 1, 0, 0, 0, true},
    {"QMatMul", {5, 1}, {1, 9}, {5, 9}, 9, 1, 0, 0, 0, false},
    {"QMatMul", {1, 4133}, {4133, 130}, {1, 130}, 130, 1, 0, 0, 0, false},
};

size_t elements(const std::vector<int64_t>& dims) {
  size_t n = 1;
  for (int64_t d : dims) n *= static_cast<size_t>(d);
  return n;
}

struct BitForm {
  bool zeros_in_x, w_zeros, x_signed, residual, real;
  DType weights;
};

std::vector<uint8_t> run(const BitCase& c, const BitForm& form, int threads, bool ternary, std::string* kernel) {
  Random r(elements(c.x));
  const int32_t x_zero = form.x_signed ? 0 : 128;
  std::vector<uint8_t> x(elements(c.x)), residual(elements(c.y));
  for (uint8_t& b : x)
    b = static_cast<uint8_t>(x_zero + (form.zeros_in_x ? r.between(-1, 1) : 2 * r.between(0, 1) - 1));
  for (uint8_t& b : residual) b = static_cast<uint8_t>(r.next());
  const Format f = format_of(form.weights);
  std::vector<uint8_t> w((elements(c.w) * static_cast<size_t>(f.bits) + 7) / 8);
  for (size_t i = 0; i < elements(c.w); ++i) set_level(w.data(), i, f, static_cast<int32_t>(2 * r.between(0, 1) - 1));
  std::vector<float> scales;
  std::vector<int32_t> bias;
  std::vector<uint8_t> zeros((static_cast<size_t>(c.columns) * static_cast<size_t>(f.bits) + 7) / 8);
  for (int64_t i = 0; i < c.columns; ++i) {
    scales.push_back(r.real(0.01f, 2.0f));
    bias.push_back(static_cast<int32_t>(r.between(-40, 40)));
    set_level(zeros.data(), static_cast<size_t>(i), f, static_cast<int32_t>(r.between(-1, 1)));
  }
  const DType x_type = form.x_signed ? DType::kInt8 : DType::kUint8;
  const uint8_t zero = static_cast<uint8_t>(x_zero), y_zero = static_cast<uint8_t>(x_zero + 1);
  OpFixture fixture(c.op);
  fixture.input(x_type, c.x, x.data(), x.size()).scalar<float>(1.0f).input(x_type, {}, &zero, 1, true);
  fixture.input(form.weights, c.w, w.data(), w.size(), true).constant<float>({c.columns}, scales);
  if (form.w_zeros) fixture.input(form.weights, {c.columns}, zeros.data(), zeros.size(), true);
  else fixture.absent();
  if (form.real) fixture.absent().absent();
  else fixture.scalar<float>(1.0f).input(x_type, {}, &y_zero, 1, true);
  fixture.constant<int32_t>({c.columns}, bias);
  if (form.residual) {
    fixture.input(x_type, c.y, residual.data(), residual.size()).scalar<float>(0.5f).absent();
    fixture.scalar<float>(0.7f).input(x_type, {}, &y_zero, 1, true);
  }
  fixture.output(form.real ? DType::kFloat32 : x_type, c.y);
  if (c.stride > 0) {
    fixture.set_integers("strides", {c.stride, c.stride}).set_integers("pads", {c.pad, c.pad, c.pad, c.pad});
    fixture.set_integers("dilations", {c.dilation, c.dilation}).set_integer("group", c.group);
  } else {
    fixture.set_integer("trans_b", c.trans_b);
  }
  fixture.set_integer("ternary", ternary).set_threads(threads);
  EXPECT_OK(fixture.run());
  *kernel = fixture.kernel();
  return fixture.values<uint8_t>(0);
}

}  // namespace

TEST(products_of_signs_give_the_bits_of_int8) {
  for (const BitCase& c : kCases)
    for (int variant = 0; variant < 32; ++variant) {
      BitForm form = {(variant & 1) != 0, (variant & 2) != 0,  (variant & 4) != 0,
                      (variant & 8) != 0, (variant & 16) != 0, DType::kInt8};
      if (form.real && form.residual) form.residual = false, form.weights = DType::kInt2;
      std::string counted, multiplied;
      const auto want = run(c, form, 1, false, &multiplied);
      for (int threads : {1, 3}) {
        const auto got = run(c, form, threads, true, &counted);
        EXPECT_SAME(got.data(), want.data(), want.size(), std::string(c.op) + " variant " + std::to_string(variant));
        EXPECT(counted.rfind("bitgemm", 0) == 0 && multiplied.rfind("bitgemm", 0) != 0);
      }
    }
}

// What the plan says of activations may be wrong: other bytes count as their signs, and nothing else happens.
TEST(products_of_signs_take_weights_of_two_levels_only) {
  OpFixture f("QMatMul");
  f.input<int8_t>({1, 3}, {1, -1, 1}).scalar<float>(1.0f).absent();
  f.constant<int8_t>({3, 2}, {1, -1, 1, 1, 0, 1}).scalar<float>(1.0f).absent();
  f.output(DType::kFloat32, {1, 2}).set_integer("ternary", 1);
  EXPECT_OK(f.run());
  EXPECT(f.kernel().rfind("bitgemm", 0) != 0);
  EXPECT(f.values<float>(0)[0] == 0.0f && f.values<float>(0)[1] == -1.0f);
}

}  // namespace octavo::test
