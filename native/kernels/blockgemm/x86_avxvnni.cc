// VPDPBUSD of 256 bits, as x86_avx512vnni.cc.
#include "kernels/blockgemm/x86_256.h"

namespace octavo {
namespace {

struct Vnni256 : Words256, WholeLevels, DotSums {
  static constexpr int kRows = 4, kPanels = 1;

  template <int kBits, int kPlane>
  static Words level(Words w) {
    if constexpr (kBits == 8) return w;
    else return field<kBits, kPlane * kBits>(w);
  }
  template <int kBits, int kPlane, size_t k>
  static void dot(Sums& sums, Words levels, Words numbers) {
    sums = _mm256_dpbusd_avx_epi32(sums, levels, numbers);
  }
};

}  // namespace

extern const BlockGemmKernel blockgemm_x86_avxvnni;
const BlockGemmKernel blockgemm_x86_avxvnni = {Isa::x86_avxvnni, "blockgemm_x86_avxvnni", quantize_row,
                                               integer_tiles<Vnni256>, real_tiles<Real256>};

}  // namespace octavo
