// The specification: what every other file of this folder has to equal bit for bit.
#define OCTAVO_SIMD_SCALAR
#include "kernels/blockgemm/generic.h"
#include "kernels/blockgemm/real_tile.h"

namespace octavo {
namespace {

struct OneByOne {
  static constexpr int kRows = 1, kPanels = 1, kPanelsOfRow = 1;
  template <int kBits>
  using Values = PlainValues<kBits>;
};

}  // namespace

extern const BlockGemmKernel blockgemm_scalar;
const BlockGemmKernel blockgemm_scalar = {Isa::scalar, "blockgemm_scalar", quantize_row, integer_panels,
                                          real_tiles<OneByOne>};

}  // namespace octavo
