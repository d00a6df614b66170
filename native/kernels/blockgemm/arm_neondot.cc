// SDOT: levels of 4 and 2 bits are signed bytes as they are, those of 8 bits are 128 less.
#include "kernels/blockgemm/neon_mlal.h"

namespace octavo {
namespace {

struct NeonDot : NeonWords, DotSums {
  static constexpr int kRows = 4, kPanels = 1;

  // A load of 16 numbers serves the lanes of four products: LD1R would take a slot of the pipes that multiply.
  template <int kBits>
  static constexpr int kStep = kBits / 2;
  using Row = int8x16_t;
  static Row row(const int8_t* numbers) { return vld1q_s8(numbers); }
  template <size_t k>
  static Row four(Row row) {
    return row;
  }
  template <int kBits, int kPlane, size_t k>
  static void dot(Sums& sums, Words levels, Row row) {
    sums = vdotq_laneq_s32(sums, levels, row, k / 4);
  }
};

}  // namespace

extern const BlockGemmKernel blockgemm_arm_neondot;
const BlockGemmKernel blockgemm_arm_neondot = {Isa::arm_neondot, "blockgemm_arm_neondot", quantize_row,
                                               integer_tiles<NeonDot>, real_tiles<RealNeon>};

}  // namespace octavo
