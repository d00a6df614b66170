// The tile of vectors that count bits by bytes: a column in each lane of 32 bits. Counts of a byte are added up in
// bytes for as many words as fit, then widened.
#pragma once

#include <cstring>

#include "kernels/bitgemm/bitgemm.h"
#include "kernels/bitgemm/pack_rows.h"

namespace octavo {
namespace {

constexpr size_t kWordsOfBytes = 31;  // each adds up to 8 to a byte

// V: Reg, kLanes, load, broadcast, differ, both, count (bits of each byte), add8, zero, widen (int32 lanes, twice that
// taken away from them).
template <class V, size_t kRows, size_t kVectors, bool kMasked>
void tile_of_bytes(const BitTile& t) {
  constexpr size_t kColumns = kVectors * V::kLanes;
  for (size_t r = 0; r < kRows; ++r)
    for (size_t n = 0; n < kColumns; ++n) t.sums[r * kColumns + n] = t.bias[n] + t.present[r];
  typename V::Reg acc[kRows][kVectors];
  const auto clear = [&] {
    for (size_t r = 0; r < kRows; ++r)
      for (size_t v = 0; v < kVectors; ++v) acc[r][v] = V::zero();
  };
  const auto flush = [&] {
    for (size_t r = 0; r < kRows; ++r)
      for (size_t v = 0; v < kVectors; ++v) V::take_twice(acc[r][v], t.sums + r * kColumns + v * V::kLanes);
    clear();
  };
  clear();
  const uint32_t* w = t.panel;
  size_t held = 0;
  for (size_t tap = 0; tap < t.taps; ++tap) {
    const uint32_t* const* rows = t.rows + tap * kRows;
    const uint32_t* const* masks = kMasked ? t.masks + tap * kRows : nullptr;
    for (size_t i = 0; i < t.words; ++i, w += kColumns) {
      typename V::Reg weights[kVectors];
      for (size_t v = 0; v < kVectors; ++v) weights[v] = V::load(w + v * V::kLanes);
      for (size_t r = 0; r < kRows; ++r) {
        const typename V::Reg a = V::broadcast(rows[r][i]);
        for (size_t v = 0; v < kVectors; ++v) {
          typename V::Reg differ = V::differ(a, weights[v]);
          if (kMasked) differ = V::both(differ, V::broadcast(masks[r][i]));
          acc[r][v] = V::add8(acc[r][v], V::count(differ));
        }
      }
      if (++held == kWordsOfBytes) flush(), held = 0;
    }
  }
  flush();
}

template <class V, size_t kRows, size_t kVectors>
void tile_by_bytes(const BitTile& t) {
  if (t.masks) tile_of_bytes<V, kRows, kVectors, true>(t);
  else tile_of_bytes<V, kRows, kVectors, false>(t);
}

}  // namespace
}  // namespace octavo
