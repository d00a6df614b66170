// Steps that the table of steps does not allow are refused before their operators are created.
#include "test/op_fixture.h"

namespace octavo {
namespace {

using test::OpFixture;

// The failure of loading a step: its code, and a text that its message must have.
void expect_refused(OpFixture& f, Code code, const std::string& text) {
  const Status status = f.load();
  EXPECT_EQ(static_cast<int>(status.code), static_cast<int>(code));
  if (status.message.find(text) == std::string::npos)
    test::fail(__FILE__, __LINE__, "expected \"" + text + "\" in \"" + status.message + "\"");
}

TEST(check_step_number_of_operands) {
  OpFixture many("Softmax");
  many.input<float>({2}, {1, 2}).input<float>({2}, {1, 2}).output<float>({2});
  expect_refused(many, Code::kInvalidPlan, "expected inputs x; got 2");
  OpFixture none("Where");
  const bool yes = true;
  none.input(DType::kBool, {1}, &yes, 1).absent().input<float>({1}, {1}).output<float>({1});
  expect_refused(none, Code::kInvalidPlan, "input a is missing");
  OpFixture few("QUnary");
  few.input<uint8_t>({1}, {1}).output<uint8_t>({1});
  expect_refused(few, Code::kInvalidPlan, "input x_scale is missing");
  OpFixture outputs("TopK");
  outputs.input<float>({2}, {1, 2}).output<float>({1});
  expect_refused(outputs, Code::kInvalidPlan, "output indices is missing");
  OpFixture groups("QConcat");
  groups.scalar<float>(1).absent().input<uint8_t>({1}, {1}).scalar<float>(1).output<uint8_t>({1});
  expect_refused(groups, Code::kInvalidPlan, "expected inputs y_scale, y_zp?, x, x_scale, x_zp?...; got 4");
}

TEST(check_step_element_types) {
  OpFixture data("Softmax");
  data.input<int32_t>({2}, {1, 2}).output<float>({2});
  expect_refused(data, Code::kUnsupported, "x: expected float32, got int32");
  OpFixture scale("DequantizeLinear");
  scale.input<uint8_t>({2}, {1, 2}).scalar<double>(1).output<float>({2});
  expect_refused(scale, Code::kInvalidPlan, "x_scale: expected float32, got float64");
  OpFixture zero("DequantizeLinear");
  zero.input<uint8_t>({2}, {1, 2}).scalar<float>(1).scalar<int8_t>(1).output<float>({2});
  expect_refused(zero, Code::kInvalidPlan, "x_zp: expected uint8, the type of input 0, got int8");
  OpFixture output("Binary");
  output.input<float>({1}, {1}).input<float>({1}, {1}).output<double>({1}).set_text("fn", "add");
  expect_refused(output, Code::kInvalidPlan, "y: expected float32, the type of input 0, got float64");
}

// The zero point of the second tensor has the type of the second tensor, not of the first.
TEST(check_step_operands_that_repeat) {
  const auto joined = [](bool fits) {
    OpFixture f("QConcat");
    f.scalar<float>(1).scalar<uint8_t>(0).set_integer("axis", 0);
    f.input<uint8_t>({1}, {7}).scalar<float>(1).scalar<uint8_t>(0);
    f.input<int8_t>({1}, {-3}).scalar<float>(1);
    if (fits) f.scalar<int8_t>(-4);
    else f.scalar<uint8_t>(0);
    f.output<uint8_t>({2});
    return f.run();
  };
  EXPECT_OK(joined(true));
  EXPECT_CODE(joined(false), Code::kInvalidPlan);
}

TEST(check_step_ranks) {
  OpFixture vector("Trilu");
  vector.input<float>({4}, {1, 2, 3, 4}).output<float>({4});
  expect_refused(vector, Code::kInvalidPlan, "x: expected 2 to 8 axes, got 1");
  OpFixture cube("EyeLike");
  cube.output<float>({2, 2, 2});
  expect_refused(cube, Code::kInvalidPlan, "y: expected 2 axes, got 3");
}

TEST(check_step_of_an_unknown_name) {
  OpFixture f("Frobnicate");
  expect_refused(f, Code::kUnsupported, "no operator Frobnicate");
}

}  // namespace
}  // namespace octavo
