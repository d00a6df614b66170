// The weight is the unsigned operand of VPDPBUSD, so that sums start at -zero * sum of the row and need nothing else.
#include "kernels/blockgemm/integer_tile.h"
#include "kernels/blockgemm/real_tile.h"

namespace octavo {
namespace {

struct Vnni512 : WholeLevels, NumbersInPlace, DotSums {
  static constexpr int kRows = 6, kPanels = 2;
  using Words = __m512i;
  template <int kBits>
  static constexpr int kOffset = 0;

  static Words load(const uint8_t* p) { return _mm512_loadu_si512(p); }
  template <int kBits, int kPlane>
  static Words level(Words w) {
    if constexpr (kPlane != 0) w = _mm512_srli_epi16(w, kPlane * kBits);
    if constexpr (kBits == 8) return w;
    else return _mm512_and_si512(w, _mm512_set1_epi8((1 << kBits) - 1));
  }
  template <int kBits>
  static constexpr bool kFloatBits = false;
  template <size_t k>
  static Words four(Row row) {
    return _mm512_set1_epi32(four_at(row + k));
  }
  // Zero points and sums of at most 256 numbers are numbers of 16 bits; nothing is above those of zero points.
  static I32 negated(I32 zero) { return (splat(0) - zero) & splat(0xFFFF); }
  static Words sum(int32_t sum) { return _mm512_set1_epi32(sum); }
  static I32 start(I32 zero, Words sum) { return {_mm512_madd_epi16(zero.v, sum)}; }
  template <int kBits, int kPlane, size_t k>
  static void dot(Sums& sums, Words levels, Words numbers) {
    sums = _mm512_dpbusd_epi32(sums, levels, numbers);
  }
};

// Up to 16 numbers lie in a register.
template <int kBits>
struct PermutedValues {
  __m512 values;

  explicit PermutedValues(const float* table) {
    float numbers[16];
    for (int i = 0; i < 16; ++i) {
      const int level = i % (1 << kBits);
      numbers[i] = table != nullptr ? table[level] : static_cast<float>(level);
    }
    values = _mm512_loadu_ps(numbers);
  }
  inline F32 operator()(I32 words) const { return {_mm512_permutexvar_ps(words.v, values)}; }
};

struct GatheredValues {
  const float* table;

  explicit GatheredValues(const float* numbers) : table(numbers) {}
  inline F32 operator()(I32 words) const {
    const I32 level = words & splat(255);
    return table == nullptr ? to_float(level) : F32{_mm512_i32gather_ps(level.v, table, 4)};
  }
};

struct Real512 {
  static constexpr int kRows = 8, kPanels = 2, kPanelsOfRow = 4;
  template <int kBits>
  using Values = std::conditional_t<kBits == 8, GatheredValues, PermutedValues<kBits>>;
};

}  // namespace

extern const BlockGemmKernel blockgemm_x86_avx512vnni;
const BlockGemmKernel blockgemm_x86_avx512vnni = {Isa::x86_avx512vnni, "blockgemm_x86_avx512vnni", quantize_row,
                                                  integer_tiles<Vnni512>, real_tiles<Real512>};

}  // namespace octavo
