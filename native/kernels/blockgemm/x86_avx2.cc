// VPMADDUBSW with the weight as the unsigned operand. Levels of 8 bits go as two of 4: no sum of 16 bits saturates.
#include "kernels/blockgemm/x86_256.h"

namespace octavo {
namespace {

struct Avx2 : Words256 {
  static constexpr int kRows = 4, kPanels = 1;
  // Of 16 bits: of the lower and, of levels of 8 bits, of the upper half.
  struct Sums {
    __m256i low, high;
  };
  template <int kBits>
  static constexpr int kPlanes = kBits == 8 ? 2 : 8 / kBits;
  // 8 times 2 products of at most 15 * 127; of 2 bits, 32 times 2 of at most 3 * 127.
  template <int kBits>
  static constexpr size_t kUnits = kBits == 4 ? 4 : 8;
  template <int kBits>
  static constexpr size_t plane_k(int plane) {
    return kBits == 8 ? 0 : 4 * static_cast<size_t>(plane);
  }

  template <int kBits, int kPlane>
  static Words level(Words w) {
    if constexpr (kBits == 8) return field<4, kPlane * 4>(w);
    else return field<kBits, kPlane * kBits>(w);
  }
  static Sums open(I32) { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  template <int kBits, int kPlane, size_t k>
  static void dot(Sums& sums, Words levels, Words numbers) {
    __m256i& sum = kBits == 8 && kPlane == 1 ? sums.high : sums.low;
    sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(levels, numbers));
  }
  template <int kBits>
  static I32 close(I32 sum, const Sums& sums) {
    __m256i total = _mm256_add_epi32(sum.v, _mm256_madd_epi16(sums.low, _mm256_set1_epi16(1)));
    if constexpr (kBits == 8) total = _mm256_add_epi32(total, _mm256_madd_epi16(sums.high, _mm256_set1_epi16(16)));
    return {total};
  }
};

}  // namespace

extern const BlockGemmKernel blockgemm_x86_avx2;
const BlockGemmKernel blockgemm_x86_avx2 = {Isa::x86_avx2, "blockgemm_x86_avx2", quantize_row, integer_tiles<Avx2>,
                                            real_tiles<Real256>};

}  // namespace octavo
