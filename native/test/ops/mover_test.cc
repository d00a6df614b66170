#include <numeric>

#include "test/op_fixture.h"

using namespace octavo;
using namespace octavo::test;

namespace {

template <class T>
std::vector<T> iota(int64_t count) {
  std::vector<T> v(static_cast<size_t>(count));
  std::iota(v.begin(), v.end(), T(1));
  return v;
}

template <class T>
void check_transpose(const std::vector<int64_t>& dims, const std::vector<int64_t>& perm) {
  int64_t count = 1;
  std::vector<int64_t> out, strides(dims.size());
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = count;
    count *= dims[i];
  }
  for (int64_t p : perm) out.push_back(dims[static_cast<size_t>(p)]);
  const std::vector<T> x = iota<T>(count);
  OpFixture f("Transpose");
  f.input(dims, x).output(dtype_of<T>(), out).set_integers("perm", perm);
  EXPECT_OK(f.run());
  std::vector<T> want(x.size());
  for (int64_t i = 0; i < count; ++i) {
    int64_t left = i, from = 0;
    for (size_t d = dims.size(); d-- > 0;) {
      from += left % out[d] * strides[static_cast<size_t>(perm[d])];
      left /= out[d];
    }
    want[static_cast<size_t>(i)] = x[static_cast<size_t>(from)];
  }
  EXPECT_SAME(f.out<T>(0), want.data(), want.size(), "transpose of " + std::to_string(sizeof(T)) + " bytes");
}

template <class T>
void check_transposes() {
  for (int64_t c : {1, 2, 3, 4, 16, 17, 40}) {
    check_transpose<T>({2, c, 9, 11}, {0, 2, 3, 1});
    check_transpose<T>({2, 9, 11, c}, {0, 3, 1, 2});
    check_transpose<T>({67, c}, {1, 0});
    check_transpose<T>({3, 5, c, 7}, {2, 0, 3, 1});
    check_transpose<T>({3, 5, 4, c}, {1, 0, 2, 3});
  }
  check_transpose<T>({600, 700}, {1, 0});
  check_transpose<T>({2, 1, 3, 2, 2, 3, 1, 2}, {7, 5, 6, 1, 0, 2, 4, 3});
  check_transpose<T>({0, 3}, {1, 0});
  check_transpose<T>({}, {});
}

template <class T>
void expect_values(OpFixture& f, const std::vector<T>& want, const char* where) {
  EXPECT_OK(f.run());
  EXPECT_SAME(f.out<T>(0), want.data(), want.size(), where);
}

}  // namespace

TEST(transpose_of_every_width) {
  check_transposes<uint8_t>();
  check_transposes<uint16_t>();
  check_transposes<float>();
  check_transposes<int64_t>();
}

TEST(concat_and_split) {
  OpFixture f("Concat");
  f.input<int32_t>({2, 1}, {1, 2})
      .input<int32_t>({2, 0}, {})
      .input<int32_t>({2, 2}, {3, 4, 5, 6})
      .output<int32_t>({2, 3})
      .set_integer("axis", 1);
  expect_values<int32_t>(f, {1, 3, 4, 2, 5, 6}, "concat");
  OpFixture g("Split");
  g.input<int32_t>({2, 3}, {1, 3, 4, 2, 5, 6}).output<int32_t>({2, 1}).output<int32_t>({2, 2}).set_integer("axis", 1);
  expect_values<int32_t>(g, {1, 2}, "split");
  const int32_t second[] = {3, 4, 5, 6};
  EXPECT_SAME(g.out<int32_t>(1), second, 4, "split");
  OpFixture h("Concat");
  h.input<int32_t>({2, 1}, {1, 2}).output<int32_t>({2, 3}).set_integer("axis", 1);
  EXPECT_CODE(h.run(), Code::kShape);
}

TEST(slice_steps_both_ways) {
  OpFixture f("Slice");
  f.input<int16_t>({3, 4}, iota<int16_t>(12))
      .output<int16_t>({2, 2})
      .set_integers("starts", {2, 3})
      .set_integers("steps", {-2, -2});
  expect_values<int16_t>(f, {12, 10, 4, 2}, "slice");
  OpFixture g("Slice");
  g.input<int16_t>({3, 4}, iota<int16_t>(12))
      .output<int16_t>({2, 3})
      .set_integers("starts", {2, 3})
      .set_integers("steps", {-2, -2});
  EXPECT_CODE(g.run(), Code::kShape);
}

TEST(expand_tile_fill) {
  OpFixture f("Expand");
  f.input<uint8_t>({2, 1}, {1, 2}).output<uint8_t>({2, 2, 3});
  expect_values<uint8_t>(f, {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2}, "expand");
  OpFixture g("Tile");
  g.input<float>({2, 2}, {1, 2, 3, 4}).output<float>({4, 4});
  expect_values<float>(g, {1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4}, "tile");
  OpFixture h("Fill");
  h.scalar<int64_t>(-7).output<int64_t>({3});
  expect_values<int64_t>(h, {-7, -7, -7}, "fill");
}

TEST(pad_modes) {
  const std::vector<float> x = {1, 2, 3};
  const auto pad = [&](const char* mode, int64_t begin, int64_t end, const std::vector<float>& want) {
    OpFixture f("Pad");
    f.input<float>({3}, x)
        .scalar<float>(9)
        .output<float>({3 + begin + end})
        .set_integers("pads", {begin, end})
        .set_text("mode", mode);
    expect_values<float>(f, want, mode);
  };
  pad("constant", 1, 2, {9, 1, 2, 3, 9, 9});
  pad("reflect", 2, 2, {3, 2, 1, 2, 3, 2, 1});
  pad("edge", 1, 2, {1, 1, 2, 3, 3, 3});
  pad("wrap", 2, 1, {2, 3, 1, 2, 3, 1});
  pad("constant", -1, 1, {2, 3, 9});
  pad("reflect", -1, 1, {2, 3, 2});
  OpFixture f("Pad");
  f.input<uint8_t>({1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})
      .scalar<uint8_t>(7)
      .output<uint8_t>({1, 3, 3, 2})
      .set_integers("pads", {0, 1, 0, 0, 0, 0, 1, 0});
  expect_values<uint8_t>(f, {7, 7, 7, 7, 7, 7, 1, 2, 3, 4, 7, 7, 5, 6, 7, 8, 7, 7}, "pad of NHWC");
}

TEST(gathers) {
  OpFixture f("Gather");
  f.input<float>({2, 3}, {1, 2, 3, 4, 5, 6}).input<int64_t>({2}, {-1, 0}).output<float>({2, 2}).set_integer("axis", 1);
  expect_values<float>(f, {3, 1, 6, 4}, "gather");
  OpFixture g("GatherElements");
  g.input<float>({2, 2}, {1, 2, 3, 4})
      .input<int32_t>({2, 2}, {0, 0, 1, -2})
      .output<float>({2, 2})
      .set_integer("axis", 1);
  expect_values<float>(g, {1, 1, 4, 3}, "gather elements");
  OpFixture h("GatherND");
  h.input<float>({2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7})
      .input<int64_t>({2, 1}, {1, 0})
      .output<float>({2, 2})
      .set_integer("batch_dims", 1);
  expect_values<float>(h, {2, 3, 4, 5}, "gather nd");
}

TEST(gathers_refuse_indices_out_of_range) {
  for (const char* op : {"Gather", "GatherElements", "GatherND"}) {
    for (int64_t bad : {3, -4}) {
      OpFixture f(op);
      f.input<float>({3}, {1, 2, 3})
          .input<int64_t>({1}, {bad})
          .output<float>(std::string(op) == "GatherND" ? std::vector<int64_t>{} : std::vector<int64_t>{1});
      EXPECT_CODE(f.run(), Code::kData);
    }
  }
}

TEST(scatters) {
  OpFixture f("ScatterElements");
  f.input<float>({1, 4}, {1, 2, 3, 4})
      .input<int64_t>({1, 2}, {1, 1})
      .input<float>({1, 2}, {10, 20})
      .output<float>({1, 4})
      .set_integer("axis", 1)
      .set_text("reduction", "add");
  expect_values<float>(f, {1, 32, 3, 4}, "scatter elements");
  OpFixture g("ScatterND");
  g.input<int32_t>({3, 2}, {1, 2, 3, 4, 5, 6})
      .input<int64_t>({2, 1}, {2, -3})
      .input<int32_t>({2, 2}, {9, 8, 7, 6})
      .output<int32_t>({3, 2});
  expect_values<int32_t>(g, {7, 6, 3, 4, 9, 8}, "scatter nd");
  OpFixture h("ScatterND");
  h.input<int32_t>({3}, {1, 2, 3}).input<int64_t>({1, 1}, {3}).input<int32_t>({1}, {9}).output<int32_t>({3});
  EXPECT_CODE(h.run(), Code::kData);
}

TEST(generators) {
  OpFixture f("Range");
  f.scalar<int32_t>(10).scalar<int32_t>(-3).output<int32_t>({3});
  expect_values<int32_t>(f, {10, 7, 4}, "range");
  OpFixture g("Values");
  g.output<int64_t>({2}).set_integers("values", {5, -6});
  expect_values<int64_t>(g, {5, -6}, "values");
  OpFixture h("NonZero");
  h.input<float>({2, 2}, {1, -0.0f, 0, 2}).output<int64_t>({2, 2});
  expect_values<int64_t>(h, {0, 1, 0, 1}, "non zero");
  OpFixture i("NonZeroCount");
  i.input<float>({2, 2}, {1, -0.0f, 0, 2}).output<int64_t>({1});
  expect_values<int64_t>(i, {2}, "non zero count");
  OpFixture j("OneHot");
  j.input<int64_t>({3}, {0, -1, 5}).input<float>({2}, {0, 1}).output<float>({3, 3}).set_integer("axis", 1);
  expect_values<float>(j, {1, 0, 0, 0, 0, 1, 0, 0, 0}, "one hot");
  OpFixture k("Trilu");
  k.input<int8_t>({2, 3}, {1, 2, 3, 4, 5, 6}).output<int8_t>({2, 3}).set_integer("upper", 0).set_integer("k", 1);
  expect_values<int8_t>(k, {1, 2, 0, 4, 5, 6}, "trilu");
  OpFixture l("EyeLike");
  l.output<float>({2, 3}).set_integer("k", 1);
  expect_values<float>(l, {0, 1, 0, 0, 0, 1}, "eye");
  OpFixture m("Reverse");
  m.input<float>({3, 2}, {1, 2, 3, 4, 5, 6})
      .input<int64_t>({2}, {2, 3})
      .output<float>({3, 2})
      .set_integer("batch_axis", 1)
      .set_integer("time_axis", 0);
  expect_values<float>(m, {3, 6, 1, 4, 5, 2}, "reverse");
}
