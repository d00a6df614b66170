// AVX-VNNI (VEX): Alder Lake E cores, Meteor Lake, Sierra Forest.
#include "kernels/qdwconv/x86_vnni.h"

namespace octavo {

void qdwconv_u8s8_32c4_x86_avxvnni_pack(const QDwWindow& window, const int16_t* weights, size_t channels, void* out) {
  pack_qdwconv<Quads<V256, false>, Quads<V128, false>>(window, weights, channels, out);
}
void qdwconv_u8s8_32c4_x86_avxvnni_s8(const QDwTile& t) { run_qdwconv<Quads<V256, true>, Quads<V128, true>>(t); }
void qdwconv_u8s8_32c4_x86_avxvnni_u8(const QDwTile& t) { run_qdwconv<Quads<V256, false>, Quads<V128, false>>(t); }

}  // namespace octavo
