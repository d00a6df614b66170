// The specification of bitgemm, and the kernel of CPUs without a vector unit we know.
#include "kernels/bitgemm/bitgemm.h"
#include "kernels/bitgemm/pack_rows.h"

namespace octavo {
namespace {

constexpr size_t kRows = 4, kColumns = 8;

void tile_scalar(const BitTile& t) {
  int32_t counts[kRows][kColumns] = {};
  const uint32_t* w = t.panel;
  for (size_t tap = 0; tap < t.taps; ++tap)
    for (size_t i = 0; i < t.words; ++i, w += kColumns)
      for (size_t r = 0; r < kRows; ++r) {
        const uint32_t a = t.rows[tap * kRows + r][i], mask = t.masks ? t.masks[tap * kRows + r][i] : ~0u;
        for (size_t n = 0; n < kColumns; ++n) counts[r][n] += bits_of((a ^ w[n]) & mask);
      }
  for (size_t r = 0; r < kRows; ++r)
    for (size_t n = 0; n < kColumns; ++n) t.sums[r * kColumns + n] = t.bias[n] + t.present[r] - 2 * counts[r][n];
}

struct Bytes {
  static SignWord signs(const uint8_t* x, uint8_t flip, uint8_t zero) {
    SignWord word = {0, 0};
    for (unsigned i = 0; i < 32; ++i) {
      const uint8_t v = x[i] ^ flip;
      word.positive |= static_cast<uint32_t>(v > zero) << i;
      word.nonzero |= static_cast<uint32_t>(v != zero) << i;
    }
    return word;
  }
};

}  // namespace

extern const BitKernel bitgemm_scalar;
const BitKernel bitgemm_scalar = {Isa::scalar, "bitgemm_4x8_scalar", tile_scalar, pack_rows<Bytes>, kRows, kColumns,
                                  nullptr};

}  // namespace octavo
