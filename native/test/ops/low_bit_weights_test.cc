// Weights of fewer than 8 bits give the bits of the same weights stored as int8 (or, with their zero points, as uint8),
// whatever the order in which a step reads them.
#include <vector>

#include "engine/format.h"
#include "test/op_fixture.h"

namespace octavo::test {
namespace {

constexpr DType kTypes[] = {DType::kInt4, DType::kUint4, DType::kInt2, DType::kUint2, DType::kUint1};

struct WeightCase {
  const char* op;
  std::vector<int64_t> x, w, y;
  int64_t columns;  // that have parameters of their own
  int64_t group, kernel, stride, pad;
  bool trans_b;
};

const WeightCase kCases[] = {
    {"QConv", {1, 5, 6, 7}, {9, 7, 3, 3}, {1, 5, 6, 9}, 9, 1, 3, 1, 1, false},
    {"QConv", {2, 4, 4, 16}, {35, 16, 1, 1}, {2, 4, 4, 35}, 35, 1, 1, 1, 0, false},
    {"QConv", {1, 6, 5, 12}, {10, 6, 3, 3}, {1, 6, 5, 10}, 10, 2, 3, 1, 1, false},
    {"QConv", {1, 9, 9, 3}, {5, 3, 3, 3}, {1, 5, 5, 5}, 5, 1, 3, 2, 1, false},
    {"QConv", {1, 5, 5, 19}, {19, 1, 3, 3}, {1, 5, 5, 19}, 19, 19, 3, 1, 1, false},
    {"QConv", {1, 6, 6, 33}, {33, 1, 5, 5}, {1, 6, 6, 33}, 33, 33, 5, 1, 2, false},
    {"QConvTranspose", {1, 3, 4, 7}, {7, 5, 3, 3}, {1, 7, 9, 5}, 5, 1, 3, 2, 0, false},
    {"QConvTranspose", {1, 4, 4, 6}, {6, 3, 2, 2}, {1, 8, 8, 6}, 6, 2, 2, 2, 0, false},
    {"QMatMul", {3, 5, 13}, {13, 11}, {3, 5, 11}, 11, 1, 0, 0, 0, false},
    {"QMatMul", {17, 33}, {33, 70}, {17, 70}, 70, 1, 0, 0, 0, false},
    {"QMatMul", {4, 21}, {35, 21}, {4, 35}, 35, 1, 0, 0, 0, true},
    {"QMatMul", {2, 3, 9}, {2, 9, 5}, {2, 3, 5}, 5, 1, 0, 0, 0, false},
    {"QMatMul", {3, 7}, {7, 1}, {3, 1}, 1, 1, 0, 0, 0, false},
    {"QMatMul", {3, 1}, {1, 9}, {3, 9}, 9, 1, 0, 0, 0, false},
    // Weights that stay packed in memory: several panels and tiles of them, panels that end within a block.
    {"QConv", {1, 7, 9, 37}, {75, 37, 3, 3}, {1, 7, 9, 75}, 75, 1, 3, 1, 1, false},
    {"QConv", {1, 6, 6, 130}, {90, 65, 3, 3}, {1, 6, 6, 90}, 90, 2, 3, 1, 1, false},
    {"QConvTranspose", {1, 5, 4, 66}, {66, 40, 3, 3}, {1, 11, 9, 40}, 40, 1, 3, 2, 0, false},
    {"QMatMul", {1, 515}, {515, 101}, {1, 101}, 101, 1, 0, 0, 0, false},
    {"QMatMul", {1, 4133}, {4133, 37}, {1, 37}, 37, 1, 0, 0, 0, false},
    {"QMatMul", {5, 1030}, {67, 1030}, {5, 67}, 67, 1, 0, 0, 0, true},
    {"QMatMul", {77, 257}, {257, 130}, {77, 130}, 130, 1, 0, 0, 0, false},
    {"QMatMul", {2, 9, 200}, {2, 200, 90}, {2, 9, 90}, 90, 1, 0, 0, 0, false},
};

size_t elements(const std::vector<int64_t>& dims) {
  size_t n = 1;
  for (int64_t d : dims) n *= static_cast<size_t>(d);
  return n;
}

std::vector<uint8_t> packed(const std::vector<int32_t>& levels, DType type) {
  const Format f = format_of(type);
  std::vector<uint8_t> bytes((levels.size() * static_cast<size_t>(f.bits) + 7) / 8);
  for (size_t i = 0; i < levels.size(); ++i) set_level(bytes.data(), i, f, levels[i]);
  return bytes;
}

// Parameters: scales and zero points per column or for all, known at load or not.
struct Form {
  bool per_column, zeros, constant, x_signed, residual;
};

std::vector<uint8_t> run(const WeightCase& c, const Form& form, DType type, const std::vector<int32_t>& levels,
                         const std::vector<int32_t>& zeros, std::string* kernel, size_t* bytes = nullptr) {
  Random r(11);
  std::vector<uint8_t> x(elements(c.x)), residual(elements(c.y));
  for (uint8_t& b : x) b = static_cast<uint8_t>(r.next());
  for (uint8_t& b : residual) b = static_cast<uint8_t>(r.next());
  std::vector<float> scales;
  for (size_t i = 0; i < zeros.size(); ++i) scales.push_back(r.real(0.01f, 0.2f));
  const DType x_type = form.x_signed ? DType::kInt8 : DType::kUint8;
  const std::vector<int64_t> parameters =
      zeros.size() == 1 ? std::vector<int64_t>{} : std::vector<int64_t>{static_cast<int64_t>(zeros.size())};
  const uint8_t x_zero = form.x_signed ? 0xF5 : 131, y_zero = 12;

  OpFixture f(c.op);
  f.input(x_type, c.x, x.data(), x.size()).scalar<float>(0.05f).input(x_type, {}, &x_zero, 1, true);
  const auto w = packed(levels, type), z = packed(zeros, type);
  f.input(type, c.w, w.data(), w.size(), true);
  f.input(DType::kFloat32, parameters, scales.data(), scales.size() * sizeof(float), form.constant);
  if (form.zeros) f.input(type, parameters, z.data(), z.size(), form.constant);
  else f.absent();
  f.scalar<float>(0.3f).input(x_type, {}, &y_zero, 1, true).absent();
  if (form.residual) {
    f.input(x_type, c.y, residual.data(), residual.size()).scalar<float>(0.2f).absent();
    f.scalar<float>(0.4f).input(x_type, {}, &y_zero, 1, true);
  }
  f.output(x_type, c.y);
  if (c.kernel > 0) {
    f.set_integers("strides", {c.stride, c.stride}).set_integers("pads", {c.pad, c.pad, c.pad, c.pad});
    f.set_integers("dilations", {1, 1}).set_integer("group", c.group);
  } else {
    f.set_integer("trans_b", c.trans_b);
  }
  EXPECT_OK(f.run());
  *kernel = f.kernel();
  if (bytes) *bytes = f.packed_bytes();
  return f.values<uint8_t>(0);
}

}  // namespace

TEST(weights_of_few_bits_give_the_bits_of_int8) {
  uint64_t seed = 0;
  for (const WeightCase& c : kCases)
    for (const DType type : kTypes)
      for (int variant = 0; variant < 16; ++variant) {
        Random r(++seed);
        const bool transposed = std::string(c.op) == "QConvTranspose";
        const Form form = {(variant & 1) != 0, (variant & 2) != 0, (variant & 4) != 0, (variant & 8) != 0,
                           seed % 3 == 0 && !transposed};
        const Format f = format_of(type);
        std::vector<int32_t> levels(elements(c.w)), zeros(form.per_column ? static_cast<size_t>(c.columns) : size_t{1});
        for (int32_t& v : levels) v = static_cast<int32_t>(r.between(f.low, f.high));
        for (int32_t& v : zeros) v = form.zeros ? static_cast<int32_t>(r.between(f.low, f.high)) : 0;
        std::string kernel, same;
        const auto got = run(c, form, type, levels, zeros, &kernel),
                   want = run(c, form, DType::kInt8, levels, zeros, &same);
        EXPECT_SAME(got.data(), want.data(), want.size(),
                    std::string(c.op) + " " + dtype_name(type) + " variant " + std::to_string(variant) + " " + kernel);
        // Where zero points are known the same kernel runs; else it is at least as fast a one.
        if (form.constant) EXPECT(kernel == same);
      }
}

// Stored as int8 they are one bit in memory, as int2 two, where panels are big enough.
TEST(weights_of_signs_take_a_bit) {
  uint64_t seed = 1000;
  size_t packed = 0;
  for (const WeightCase& c : kCases)
    for (int variant = 0; variant < 16; ++variant) {
      Random r(++seed);
      const Form form = {(variant & 1) != 0, (variant & 2) != 0, (variant & 4) != 0, (variant & 8) != 0, false};
      std::vector<int32_t> levels(elements(c.w)), zeros(form.per_column ? static_cast<size_t>(c.columns) : size_t{1});
      for (int32_t& v : levels) v = static_cast<int32_t>(2 * r.between(0, 1) - 1);
      for (int32_t& v : zeros) v = form.zeros ? static_cast<int32_t>(r.between(-1, 1)) : 0;
      std::string one, two;
      const auto got = run(c, form, DType::kInt8, levels, zeros, &one, &packed),
                 want = run(c, form, DType::kInt2, levels, zeros, &two);
      EXPECT_SAME(got.data(), want.data(), want.size(), std::string(c.op) + " variant " + std::to_string(variant));
    }
  const WeightCase whole = {"QMatMul", {1, 512}, {512, 512}, {1, 512}, 512, 1, 0, 0, 0, false};
  std::vector<int32_t> levels(512 * 512, -1);
  levels[7] = 1;
  std::string kernel;
  static_cast<void>(run(whole, {false, false, true, true, false}, DType::kInt8, levels, {0}, &kernel, &packed));
  EXPECT(packed < 512 * 512 / 8 + 512 * 32);
}

TEST(weights_of_few_bits_are_constant_and_as_many_as_the_shape_says) {
  const uint8_t bytes[8] = {};
  for (const char* op : {"QConv", "QMatMul", "QConvTranspose"}) {
    const bool matrix = std::string(op) == "QMatMul";
    const auto fixture = [&](bool constant, size_t size) {
      auto f = std::make_unique<OpFixture>(op);
      f->input(DType::kUint8, matrix ? std::vector<int64_t>{1, 3} : std::vector<int64_t>{1, 1, 1, 3}, bytes, 3);
      f->scalar<float>(1.0f).absent();
      f->input(DType::kInt4, matrix ? std::vector<int64_t>{3, 3} : std::vector<int64_t>{3, 3, 1, 1}, bytes, size,
               constant);
      f->scalar<float>(1.0f).absent().scalar<float>(1.0f).absent();
      f->output(DType::kUint8, matrix ? std::vector<int64_t>{1, 3} : std::vector<int64_t>{1, 1, 1, 3});
      return f;
    };
    EXPECT_OK(fixture(true, 5)->run());
    EXPECT_CODE(fixture(true, 4)->run(), Code::kInvalidPlan);
    EXPECT_CODE(fixture(true, 8)->run(), Code::kInvalidPlan);
    EXPECT_CODE(fixture(false, 5)->run(), Code::kUnsupported);
  }
}

}  // namespace octavo::test
