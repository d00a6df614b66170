// Elementwise, pooling, reduction and normalization operators on small tensors whose results are known.
#include <algorithm>
#include <cmath>

#include "test/op_fixture.h"

namespace octavo {
namespace {

using test::OpFixture;
using Floats = std::vector<float>;
using Bytes = std::vector<uint8_t>;
using Longs = std::vector<int64_t>;

template <class T>
void expect_values(OpFixture& f, const std::vector<T>& want, const std::string& where, int output = 0) {
  const Status status = f.run();
  if (!status.ok()) return test::fail(__FILE__, __LINE__, where + ": " + status.message);
  const std::vector<T> got = f.values<T>(output);
  if (got.size() != want.size())
    return test::fail(__FILE__, __LINE__, where + ": " + std::to_string(got.size()) + " values");
  for (size_t i = 0; i < want.size(); ++i) {
    const double a = static_cast<double>(got[i]), b = static_cast<double>(want[i]);
    if (a == b || (a != a && b != b) ||
        std::fabs(a - b) <= (std::is_integral<T>::value ? 0 : 2e-6) * (1 + std::fabs(b)))
      continue;
    return test::fail(
        __FILE__, __LINE__,
        where + ": element " + std::to_string(i) + " is " + std::to_string(a) + ", expected " + std::to_string(b));
  }
}

}  // namespace

TEST(binary_broadcasts) {
  OpFixture f("Binary");
  f.input<float>({2, 1, 3}, {1, 2, 3, 4, 5, 6})
      .input<float>({2, 1}, {10, 20})
      .output<float>({2, 2, 3})
      .set_text("fn", "add");
  expect_values<float>(f, {11, 12, 13, 21, 22, 23, 14, 15, 16, 24, 25, 26}, "add");
  OpFixture g("Binary");
  g.input<int32_t>({4}, {7, -7, INT32_MIN, 5})
      .input<int32_t>({4}, {2, 2, -1, 0})
      .output<int32_t>({4})
      .set_text("fn", "div");
  expect_values<int32_t>(g, {3, -3, INT32_MIN, 0}, "div");
  OpFixture h("Binary");
  h.input<int64_t>({4}, {7, -7, 7, -7}).input<int64_t>({4}, {3, 3, -3, -3}).output<int64_t>({4}).set_text("fn", "mod");
  expect_values<int64_t>(h, {1, 2, -2, -1}, "mod");
  OpFixture k("Binary");
  k.input<float>({2}, {1, 2}).input<float>({3}, {1, 2, 3}).output<float>({3}).set_text("fn", "add");
  EXPECT_CODE(k.run(), Code::kShape);
}

TEST(compare_where_clip_cast) {
  OpFixture f("Compare");
  f.input<float>({3}, {1, 2, NAN}).input<float>({}, {2}).output<bool>({3}).set_text("fn", "less_equal");
  expect_values<uint8_t>(f, {1, 1, 0}, "compare");
  OpFixture g("Where");
  const uint8_t condition[] = {1, 0};
  g.input(DType::kBool, {2, 1}, condition, 2)
      .input<int32_t>({2}, {1, 2})
      .input<int32_t>({}, {9})
      .output<int32_t>({2, 2});
  expect_values<int32_t>(g, {1, 2, 9, 9}, "where");
  OpFixture h("Clip");
  h.input<int8_t>({4}, {-100, 0, 5, 100}).scalar<int8_t>(-3).absent().output<int8_t>({4});
  expect_values<int8_t>(h, {-3, 0, 5, 100}, "clip");
  OpFixture c("Cast");
  c.input<float>({6}, {1.9f, -1.9f, 300, -300, NAN, INFINITY}).output<int8_t>({6});
  expect_values<int8_t>(c, {1, -1, 127, -128, 0, 127}, "cast");
  OpFixture d("Cast");
  d.input<float>({7}, {1, -2, 65519, 65520, 5.9604645e-8f, 0.1f, 1.00048828125f}).output(DType::kFloat16, {7});
  expect_values<uint16_t>(d, {0x3c00, 0xc000, 0x7bff, 0x7c00, 1, 0x2e66, 0x3c00}, "cast to float16");
  OpFixture e("Cast");
  const uint16_t halves[] = {0x3c00, 0xc000, 0x7bff, 0xfc00, 1};
  e.input(DType::kFloat16, {5}, halves, 10).output<float>({5});
  expect_values<float>(e, {1, -2, 65504, -INFINITY, 5.9604645e-8f}, "cast from float16");
  OpFixture b("Cast");
  b.input<int64_t>({3}, {(int64_t{1} << 53) + 1, -5, 257}).output<uint8_t>({3});
  expect_values<uint8_t>(b, {1, 251, 1}, "integers wrap");
}

TEST(unary_chains) {
  OpFixture f("Unary");
  f.input<float>({4}, {-1, 0, 1, 9})
      .output<float>({4})
      .set_texts("fns", {"affine", "relu", "sqrt"})
      .set_numbers("params", {2, 1});
  expect_values<float>(f, {0, 1, 1.7320508f, 4.3588989f}, "affine, relu, sqrt");
  OpFixture g("Unary");
  g.input<int32_t>({3}, {INT32_MIN, -4, 4}).output<int32_t>({3}).set_texts("fns", {"abs"});
  expect_values<int32_t>(g, {INT32_MIN, 4, 4}, "abs");
  OpFixture h("Unary");
  h.input<float>({3}, {2, -3, 0.5f}).output<float>({3}).set_texts("fns", {"pow"}).set_number("params", 3);
  expect_values<float>(h, {8, -27, 0.125f}, "pow");
  OpFixture k("Unary");
  k.input<float>({1}, {2}).output<float>({1}).set_texts("fns", {"frobnicate"});
  EXPECT_CODE(k.run(), Code::kUnsupported);
}

TEST(reduce_any_axes) {
  const Floats x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const auto reduce = [&](const char* fn, const Longs& axes, const Longs& out, const Floats& want) {
    OpFixture f("Reduce");
    f.input<float>({2, 3, 2}, x).output<float>(out).set_text("fn", fn).set_integers("axes", axes);
    expect_values<float>(f, want, fn);
  };
  reduce("sum", {1}, {2, 1, 2}, {9, 12, 27, 30});
  reduce("mean", {0, 2}, {3}, {4.5f, 6.5f, 8.5f});
  reduce("max", {2}, {2, 3}, {2, 4, 6, 8, 10, 12});
  reduce("prod", {0, 1, 2}, {}, {479001600});
  reduce("l2", {1}, {2, 1, 2}, {5.91607978f, 7.48331477f, 15.8429795f, 17.5499288f});
  reduce("logsumexp", {1}, {2, 2}, {5.14293163f, 6.14293163f, 11.1429316f, 12.1429316f});
  OpFixture g("Reduce");
  g.input<int32_t>({2, 2}, {7, -9, 3, 4}).output<int32_t>({2, 1}).set_text("fn", "l1").set_integers("axes", {1});
  expect_values<int32_t>(g, {16, 7}, "l1");
  OpFixture a("ArgReduce");
  a.input<float>({2, 3}, {1, 3, 3, 5, 4, 5})
      .output<int64_t>({2})
      .set_text("fn", "max")
      .set_integer("axis", 1)
      .set_integer("last", 1);
  expect_values<int64_t>(a, {2, 2}, "last of the largest");
}

TEST(normalizations) {
  OpFixture s("Softmax");
  s.input<float>({2, 2}, {0, 1, 3, 1}).output<float>({2, 2}).set_integer("axis", 0);
  expect_values<float>(s, {0.04742587f, 0.5f, 0.95257413f, 0.5f}, "softmax");
  OpFixture l("LayerNorm");
  l.input<float>({1, 4}, {1, 2, 3, 4})
      .input<float>({4}, {1, 1, 2, 2})
      .input<float>({4}, {0, 0, 0, 1})
      .output<float>({1, 4})
      .set_integer("axis", 1)
      .set_number("epsilon", 0);
  expect_values<float>(l, {-1.34164079f, -0.4472136f, 0.89442719f, 3.68328157f}, "layer norm");
  OpFixture b("BatchNorm");
  b.input<float>({1, 2, 2}, {1, 2, 3, 4})
      .input<float>({2}, {2, 1})
      .input<float>({2}, {0, 1})
      .input<float>({2}, {1, 3})
      .input<float>({2}, {4, 1});
  b.output<float>({1, 2, 2}).set_integer("axis", 1).set_number("epsilon", 0);
  expect_values<float>(b, {0, 1, 1, 2}, "batch norm");
  OpFixture i("InstanceNorm");
  i.input<float>({1, 2, 2}, {1, 3, 5, 5})
      .input<float>({2}, {1, 1})
      .input<float>({2}, {0, 7})
      .output<float>({1, 2, 2})
      .set_number("epsilon", 1e-12f);
  expect_values<float>(i, {-1, 1, 7, 7}, "instance norm");
  OpFixture n("LRN");
  n.input<float>({1, 3, 1}, {1, 2, 3})
      .output<float>({1, 3, 1})
      .set_integer("axis", 1)
      .set_integer("size", 3)
      .set_number("alpha", 3)
      .set_number("beta", 1)
      .set_number("bias", 1);
  expect_values<float>(n, {1.0f / 6, 2.0f / 15, 3.0f / 14}, "lrn");
}

TEST(pools) {
  const Floats x = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const auto pool = [&](const char* fn) {
    OpFixture f("Pool");
    f.input<float>({1, 3, 3, 1}, x).output<float>({1, 2, 2, 1}).set_text("fn", fn).set_integers("kernel", {2, 2});
    f.set_integers("strides", {2, 2}).set_integers("pads", {0, 0, 1, 1});
    return f;
  };
  OpFixture a = pool("average");
  expect_values<float>(a, {3, 4.5f, 7.5f, 9}, "average");
  OpFixture b = pool("average");
  b.set_integer("count_include_pad", 1);
  expect_values<float>(b, {3, 2.25f, 3.75f, 2.25f}, "average over padding");
  OpFixture m = pool("max");
  m.output<int64_t>({1, 2, 2, 1});
  expect_values<int64_t>(m, {4, 5, 7, 8}, "indices of the maxima", 1);
  OpFixture q("QPool");
  q.input<uint8_t>({1, 2, 2, 1}, {10, 20, 31, 40}).scalar(0.5f).scalar<uint8_t>(10).scalar(0.25f).scalar<uint8_t>(3);
  q.output<uint8_t>({1, 1, 1, 1}).set_text("fn", "average").set_integers("kernel", {2, 2});
  expect_values<uint8_t>(q, {33}, "quantized average");  // (0 + 10 + 21 + 30) / 4 * 2 = 30.5, to even
  OpFixture d("QReduceMean");
  d.input<int8_t>({1, 2, 2}, {10, -20, 30, 40})
      .scalar(1.0f)
      .scalar<int8_t>(0)
      .scalar(1.0f)
      .scalar<int8_t>(5)
      .output<int8_t>({1, 2})
      .set_integers("axes", {1});
  expect_values<int8_t>(d, {25, 15}, "quantized mean");
}

// Every byte takes part: q(max(dequantized)) in the order of the numbers, over rows, over columns and over both.
TEST(quantized_extremes) {
  for (const bool is_signed : {false, true})
    for (const bool greatest : {false, true})
      for (const std::vector<int64_t>& axes : {std::vector<int64_t>{2}, {1}, {0, 2}, {0, 1, 2}}) {
        const int64_t dims[] = {3, 7, 300};
        std::vector<uint8_t> x(3 * 7 * 300);
        for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint8_t>((i * 7919 + i / 256 * 31) % 251);
        const auto level = [&](uint8_t byte) { return is_signed ? static_cast<int8_t>(byte) : byte; };
        Shape shape;
        shape.rank = 3;
        for (int axis = 0; axis < 3; ++axis)
          shape.dims[axis] = std::count(axes.begin(), axes.end(), axis) ? 1 : dims[axis];
        std::vector<int> best(static_cast<size_t>(shape.elements()), greatest ? -1000 : 1000);
        for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
          const int64_t at[] = {i / 2100, i / 300 % 7, i % 300};
          int64_t to = 0;
          for (int axis = 0; axis < 3; ++axis) to = to * shape[axis] + (shape[axis] == 1 ? 0 : at[axis]);
          int& b = best[static_cast<size_t>(to)];
          b = greatest ? std::max<int>(b, level(x[static_cast<size_t>(i)]))
                       : std::min<int>(b, level(x[static_cast<size_t>(i)]));
        }
        std::vector<uint8_t> expected;
        for (const int b : best) {  // scale 0.5, zero point 3 to scale 1, zero point 4, at least 2; ties to even
          const double q = std::nearbyint((b - 3) * 0.5) + 4;
          expected.push_back(
              static_cast<uint8_t>(static_cast<int>(std::min(is_signed ? 127.0 : 255.0, std::max(2.0, q)))));
        }
        OpFixture f("QReduceExtreme");
        const std::vector<int64_t> in(dims, dims + 3), out(shape.dims, shape.dims + 3);
        if (is_signed)
          f.input<int8_t>(in, std::vector<int8_t>(x.begin(), x.end()))
              .scalar(0.5f)
              .scalar<int8_t>(3)
              .scalar(1.0f)
              .scalar<int8_t>(4)
              .output<int8_t>(out);
        else
          f.input<uint8_t>(in, x).scalar(0.5f).scalar<uint8_t>(3).scalar(1.0f).scalar<uint8_t>(4).output<uint8_t>(out);
        f.set_text("fn", greatest ? "max" : "min").set_integers("axes", axes).set_integer("qmin", 2);
        if (is_signed)
          expect_values<int8_t>(f, std::vector<int8_t>(expected.begin(), expected.end()), "extremes of int8");
        else expect_values<uint8_t>(f, expected, "extremes of uint8");
      }
}

TEST(quantized_elementwise) {
  OpFixture f("QBinary");
  f.input<uint8_t>({3}, {0, 128, 255})
      .scalar(0.5f)
      .scalar<uint8_t>(128)
      .input<int8_t>({3}, {4, -4, 127})
      .scalar(0.25f)
      .absent();
  f.scalar(0.5f).scalar<int8_t>(0).output<int8_t>({3}).set_text("fn", "sub");
  expect_values<int8_t>(f, {-128, 2, 64}, "sub");  // -64 - 1, 0 + 1, 63.5 - 31.75 = 63.5 half-steps, to even
  OpFixture u("QUnary");
  u.input<int8_t>({3}, {-10, 0, 10})
      .scalar(0.1f)
      .absent()
      .scalar(0.01f)
      .absent()
      .output<int8_t>({3})
      .set_texts("fns", {"tanh"});
  expect_values<int8_t>(u, {-76, 0, 76}, "tanh");
  OpFixture c("QConcat");
  c.scalar(1.0f)
      .scalar<uint8_t>(0)
      .input<uint8_t>({2, 1}, {1, 2})
      .scalar(1.0f)
      .scalar<uint8_t>(0)
      .input<uint8_t>({2, 2}, {3, 4, 5, 6})
      .scalar(2.0f)
      .scalar<uint8_t>(3);
  c.output<uint8_t>({2, 3}).set_integer("axis", 1);
  expect_values<uint8_t>(c, {1, 0, 2, 2, 4, 6}, "concat");
  OpFixture s("QSoftmax");
  s.input<uint8_t>({1, 2}, {10, 10})
      .scalar(0.1f)
      .absent()
      .scalar(1.0f / 256)
      .absent()
      .output<uint8_t>({1, 2})
      .set_integer("axis", 1);
  expect_values<uint8_t>(s, {128, 128}, "softmax");
  OpFixture bad("QUnary");
  bad.input<uint8_t>({1}, {1}).scalar(NAN).absent().scalar(1.0f).absent().output<uint8_t>({1});
  EXPECT_CODE(bad.run(), Code::kData);
}

TEST(quantize_and_dequantize) {
  OpFixture q("QuantizeLinear");
  q.input<float>({2, 3}, {0.5f, 1.5f, NAN, -1e30f, 1e30f, 3})
      .input<float>({2}, {1, 2})
      .input<uint8_t>({2}, {0, 10})
      .output<uint8_t>({2, 3})
      .set_integer("axis", 0);
  expect_values<uint8_t>(q, {0, 2, 0, 0, 255, 12}, "per axis");
  OpFixture d("DequantizeLinear");
  const uint8_t packed[] = {0x21, 0xf8};
  d.input(DType::kInt4, {1, 4}, packed, 2, true)
      .input<float>({1, 2}, {1, 0.5f})
      .output<float>({1, 4})
      .set_integer("axis", 1)
      .set_integer("block_size", 2);
  expect_values<float>(d, {1, 2, -4, -0.5f}, "blocks of int4");
  OpFixture y("DynamicQuantizeLinear");
  y.input<float>({3}, {-1, 0, 4.1f}).output<uint8_t>({3}).output<float>({}).output<uint8_t>({});
  expect_values<uint8_t>(y, {0, 50, 255}, "dynamic");
  expect_values<float>(y, {0.02f}, "dynamic scale", 1);
}

TEST(resize_modes) {
  const auto resize = [](const char* fn, const Longs& out, const Floats& want, const char* mode) {
    OpFixture f("Resize");
    f.input<float>({1, 4, 1}, {1, 2, 3, 4})
        .output<float>({1, out[0], 1})
        .set_text("fn", fn)
        .set_text("coordinates", mode);
    expect_values<float>(f, want, std::string(fn) + " " + mode);
  };
  resize("linear", {8}, {1, 1.25f, 1.75f, 2.25f, 2.75f, 3.25f, 3.75f, 4}, "half_pixel");
  resize("nearest", {8}, {1, 1, 2, 2, 3, 3, 4, 4}, "half_pixel");
  resize("nearest", {2}, {1, 3}, "asymmetric");
  resize("linear", {7}, {1, 1.5f, 2, 2.5f, 3, 3.5f, 4}, "align_corners");
  resize("cubic", {4}, {1, 2, 3, 4}, "half_pixel");
  OpFixture a("Resize");
  a.input<float>({1, 4, 1}, {1, 2, 3, 4})
      .output<float>({1, 2, 1})
      .set_text("fn", "linear")
      .set_text("coordinates", "half_pixel")
      .set_integer("antialias", 1);
  expect_values<float>(a, {1.625f, 3.375f}, "antialias");  // weights 1 3 3 1 over 8, the edge repeated
  OpFixture q("QResize");
  q.input<uint8_t>({1, 2, 1, 1}, {10, 20})
      .scalar(1.0f)
      .scalar<uint8_t>(5)
      .scalar(1.0f)
      .scalar<uint8_t>(0)
      .output<uint8_t>({1, 4, 1, 1})
      .set_text("fn", "linear");
  expect_values<uint8_t>(q, {5, 8, 12, 15}, "quantized");
}

TEST(running_sums_top_k) {
  OpFixture c("Cumulative");
  c.input<int32_t>({2, 3}, {1, 2, 3, 4, 5, 6})
      .scalar<int64_t>(-1)
      .output<int32_t>({2, 3})
      .set_integer("exclusive", 1)
      .set_integer("reverse", 1);
  expect_values<int32_t>(c, {5, 3, 0, 11, 6, 0}, "sums");
  OpFixture t("TopK");
  t.input<float>({1, 5}, {3, 1, 3, NAN, 2})
      .output<float>({1, 3})
      .output<int64_t>({1, 3})
      .set_integer("axis", 1)
      .set_integer("k", 3);
  expect_values<int64_t>(t, {3, 0, 2}, "indices of the largest", 1);
}

}  // namespace octavo
