// SDOT: levels of 4 and 2 bits are signed bytes as they are, those of 8 bits are 128 less.
#include "kernels/blockgemm/neon_mlal.h"

namespace octavo {
namespace {

struct NeonDot : NeonWords {
  static constexpr int kRows = 4, kPanels = 1;
  using Sums = int32x4_t;
  template <int kBits>
  static constexpr size_t kUnits = SIZE_MAX;

  static int8x16_t broadcast(const int8_t* p) {
    int32_t four;
    std::memcpy(&four, p, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
  }
  static Sums open(I32 sum) { return sum.v; }
  template <int kBits, int kPlane>
  static void dot(Sums& sums, Words levels, int8x16_t numbers) {
    sums = vdotq_s32(sums, levels, numbers);
  }
  template <int kBits>
  static I32 close(I32, Sums sums) {
    return {sums};
  }
};

}  // namespace

extern const BlockGemmKernel blockgemm_arm_neondot;
const BlockGemmKernel blockgemm_arm_neondot = {Isa::arm_neondot, "blockgemm_arm_neondot", quantize_row,
                                               integer_tiles<NeonDot>, real_tiles<RealNeon>};

}  // namespace octavo
