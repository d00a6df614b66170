#include "kernels/qdwconv/neon_pairs.h"
#include "kernels/qdwconv/neon_wide.h"

namespace octavo {

void qdwconv_s8s8_16c2_arm_neon_pack(const QDwWindow& window, const int16_t* weights, size_t channels, void* out) {
  pack_qdwconv<Pairs<true>>(window, weights, channels, out);
}
void qdwconv_s8s8_16c2_arm_neon_s8(const QDwTile& t) { run_qdwconv<Pairs<true>>(t); }
void qdwconv_s8s8_16c2_arm_neon_u8(const QDwTile& t) { run_qdwconv<Pairs<false>>(t); }

void qdwconv_s8s16_8c_arm_neon_pack(const QDwWindow& window, const int16_t* weights, size_t channels, void* out) {
  pack_qdwconv<Wide<true>>(window, weights, channels, out);
}
void qdwconv_s8s16_8c_arm_neon_s8(const QDwTile& t) { run_qdwconv<Wide<true>>(t); }
void qdwconv_s8s16_8c_arm_neon_u8(const QDwTile& t) { run_qdwconv<Wide<false>>(t); }

}  // namespace octavo
