// The specification of bitgemm, and the kernel of CPUs without a vector unit we know.
#include "kernels/bitgemm/bitgemm.h"

namespace octavo {
namespace {

constexpr size_t kRows = 4, kColumns = 8;

// Set bits of a word (Hacker's Delight, 5-1): no CPU without an instruction for it calls a library.
int32_t bits_of(uint32_t v) {
  v = v - ((v >> 1) & 0x55555555u);
  v = (v & 0x33333333u) + ((v >> 2) & 0x33333333u);
  return static_cast<int32_t>((((v + (v >> 4)) & 0x0F0F0F0Fu) * 0x01010101u) >> 24);
}

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
    for (size_t n = 0; n < kColumns; ++n) t.counts[r * kColumns + n] = counts[r][n];
}

}  // namespace

extern const BitKernel bitgemm_scalar;
const BitKernel bitgemm_scalar = {Isa::scalar, "bitgemm_4x8_scalar", tile_scalar, kRows, kColumns, nullptr};

}  // namespace octavo
