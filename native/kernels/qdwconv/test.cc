// Every kernel this CPU runs against scalar, bit for bit: channels around the vector width, poisoned padding.
#include <vector>

#include "cpu/isa.h"
#include "kernels/qdwconv/qdwconv.h"
#include "test/op_fixture.h"

namespace octavo::test {

TEST(qdwconv_kernels_agree_with_scalar) {
  size_t count = 0;
  const QDwKernel* kernels = qdwconv_kernels(&count);
  const QDwKernel& scalar = kernels[count - 1];
  for (size_t i = 0; i + 1 < count; ++i) {
    if (!isa_supported(kernels[i].isa)) {
      std::printf("  %s: not on this CPU\n", kernels[i].name);
      continue;
    }
    uint64_t seed = 1;
    for (size_t channels : {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48})
      for (size_t taps : {2, 4, 10, 26})
        for (int variant = 0; variant < 4; ++variant) {
          Random r(++seed);
          const bool is_signed = variant & 1, to_int32 = variant & 2;
          const size_t pixels = 1 + seed % 5, padded = (channels + kQDwChannels - 1) / kQDwChannels * kQDwChannels;
          std::vector<Guarded> memory;
          std::vector<const uint8_t*> rows;
          for (size_t j = 0; j < pixels * taps; ++j) {
            memory.emplace_back(channels, j % 2 ? uint8_t{0xFF} : uint8_t{0x80});
            for (size_t c = 0; c < channels; ++c) memory.back().data()[c] = static_cast<uint8_t>(r.between(0, 5) == 0 ? 0x80 : r.next());
          }
          for (Guarded& m : memory) rows.push_back(m.data());
          std::vector<int16_t> weights(padded * taps);
          for (int16_t& w : weights) w = static_cast<int16_t>(r.between(0, 3) == 0 ? -255 : r.between(-255, 255));
          std::vector<int32_t> bias(padded);
          std::vector<float> multiplier(padded);
          for (size_t c = 0; c < padded; ++c) bias[c] = static_cast<int32_t>(r.between(-100000, 100000)), multiplier[c] = r.real(1e-5f, 1e-3f);
          const size_t stride = channels * (to_int32 ? 4 : 1);
          Guarded got(pixels * stride, 0x55), want(pixels * stride, 0x55);
          QDwTile t{rows.data(), pixels, taps, channels, padded, weights.data(), bias.data(), multiplier.data(), {-110.0f, 90.0f, -7}, to_int32, got.data(), stride};
          (is_signed ? kernels[i].s8 : kernels[i].u8)(t);
          t.c = want.data();
          (is_signed ? scalar.s8 : scalar.u8)(t);
          EXPECT(got.intact());
          EXPECT_SAME(got.data(), want.data(), got.size(), std::string(kernels[i].name) + " channels " + std::to_string(channels) + " taps " + std::to_string(taps));
        }
  }
}

}  // namespace octavo::test
