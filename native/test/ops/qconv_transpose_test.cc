// QConvTranspose against sums scattered from every input position.
#include <vector>

#include "test/op_fixture.h"

namespace octavo::test {
namespace {

struct TransposeCase {
  int64_t height, width, channels, out_channels, kernel, stride, pad, dilation, group, extra;
  bool x_signed;
};

void check(const TransposeCase& t, uint64_t seed) {
  Random r(seed);
  const int64_t per_group = t.out_channels / t.group, depth = t.channels / t.group, batch = 2;
  const int64_t span = t.dilation * (t.kernel - 1) + 1;
  const int64_t oh = t.stride * (t.height - 1) + span - 2 * t.pad + t.extra,
                ow = t.stride * (t.width - 1) + span - 2 * t.pad + t.extra;
  std::vector<uint8_t> x(static_cast<size_t>(batch * t.height * t.width * t.channels));
  std::vector<int8_t> w(static_cast<size_t>(t.channels * per_group * t.kernel * t.kernel));
  for (uint8_t& v : x) v = static_cast<uint8_t>(r.between(0, 255));
  for (int8_t& v : w) v = static_cast<int8_t>(r.between(-128, 127));
  const int32_t zero = t.x_signed ? -5 : 130;

  OpFixture f("QConvTranspose");
  f.input(t.x_signed ? DType::kInt8 : DType::kUint8, {batch, t.height, t.width, t.channels}, x.data(), x.size());
  f.scalar<float>(0.1f);
  if (t.x_signed) f.scalar<int8_t>(static_cast<int8_t>(zero));
  else f.scalar<uint8_t>(static_cast<uint8_t>(zero));
  f.constant<int8_t>({t.channels, per_group, t.kernel, t.kernel}, w).scalar<float>(0.1f).scalar<int8_t>(3);
  f.output<int32_t>({batch, oh, ow, t.out_channels});
  f.set_integers("strides", {t.stride, t.stride}).set_integers("pads", {t.pad, t.pad, t.pad, t.pad});
  f.set_integers("dilations", {t.dilation, t.dilation}).set_integer("group", t.group);
  EXPECT_OK(f.run());

  std::vector<int32_t> want(static_cast<size_t>(batch * oh * ow * t.out_channels));
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t y = 0; y < t.height; ++y)
      for (int64_t q = 0; q < t.width; ++q)
        for (int64_t ky = 0; ky < t.kernel; ++ky)
          for (int64_t kx = 0; kx < t.kernel; ++kx) {
            const int64_t oy = y * t.stride - t.pad + ky * t.dilation, ox = q * t.stride - t.pad + kx * t.dilation;
            if (oy < 0 || ox < 0 || oy >= oh || ox >= ow) continue;
            for (int64_t g = 0; g < t.group; ++g)
              for (int64_t c = 0; c < depth; ++c) {
                const uint8_t byte =
                    x[static_cast<size_t>(((n * t.height + y) * t.width + q) * t.channels + g * depth + c)];
                const int32_t a = (t.x_signed ? static_cast<int8_t>(byte) : byte) - zero;
                for (int64_t m = 0; m < per_group; ++m)
                  want[static_cast<size_t>(((n * oh + oy) * ow + ox) * t.out_channels + g * per_group + m)] +=
                      a *
                      (w[static_cast<size_t>((((g * depth + c) * per_group + m) * t.kernel + ky) * t.kernel + kx)] - 3);
              }
          }
  EXPECT_SAME(f.out<int32_t>(0), want.data(), want.size(), "case " + std::to_string(seed));
}

}  // namespace

TEST(qconv_transpose_against_scattered_sums) {
  const TransposeCase cases[] = {
      // H W C M k s p d g extra signed
      {4, 5, 8, 16, 3, 2, 1, 1, 1, 1, false}, {4, 4, 6, 10, 4, 2, 1, 1, 2, 0, true},
      {3, 3, 5, 7, 2, 3, 0, 1, 1, 0, true},   {5, 4, 16, 33, 3, 1, 0, 2, 1, 0, false},
      {6, 6, 8, 8, 3, 2, 1, 2, 8, 1, true},
  };
  uint64_t seed = 0;
  for (const TransposeCase& t : cases) check(t, ++seed);
}

}  // namespace octavo::test
