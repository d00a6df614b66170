// What the kernels of 256 bits share.
#pragma once

#include "kernels/blockgemm/integer_tile.h"
#include "kernels/blockgemm/real_tile.h"

namespace octavo {
namespace {

struct Words256 : NumbersInPlace {
  using Words = __m256i;
  template <int kBits>
  static constexpr int kOffset = 0;

  static Words load(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  // The bits from kShift on, of each byte.
  template <int kBits, int kShift>
  static Words field(Words w) {
    if constexpr (kShift != 0) w = _mm256_srli_epi16(w, kShift);
    return _mm256_and_si256(w, _mm256_set1_epi8((1 << kBits) - 1));
  }
  template <int kBits>
  static constexpr bool kFloatBits = false;
  template <size_t k>
  static Words four(Row row) {
    return _mm256_set1_epi32(four_at(row + k));
  }
  // Zero points and sums of at most 256 numbers are numbers of 16 bits; nothing is above those of zero points.
  static I32 negated(I32 zero) { return (splat(0) - zero) & splat(0xFFFF); }
  static Words sum(int32_t sum) { return _mm256_set1_epi32(sum); }
  static I32 start(I32 zero, Words sum) { return {_mm256_madd_epi16(zero.v, sum)}; }
};

template <int kBits>
struct GatheredValues {
  const float* table;

  explicit GatheredValues(const float* numbers) : table(numbers) {}
  inline F32 operator()(I32 words) const {
    const I32 level = words & splat((1 << kBits) - 1);
    return table == nullptr ? to_float(level) : F32{_mm256_i32gather_ps(table, level.v, 4)};
  }
};

struct Real256 {
  static constexpr int kRows = 4, kPanels = 1, kPanelsOfRow = 2;
  template <int kBits>
  using Values = GatheredValues<kBits>;
};

}  // namespace
}  // namespace octavo
