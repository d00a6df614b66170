// AVX512-VNNI, Ice Lake and Zen 4 onwards.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // avx512fintrin.h, GCC bug 105593
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "kernels/qdwconv/x86_vnni.h"

namespace octavo {

void qdwconv_u8s8_64c4_x86_avx512vnni_pack(const QDwWindow& window, const int16_t* weights, size_t channels,
                                           void* out) {
  pack_qdwconv<Quads<V512, false>, Quads<V256, false>, Quads<V128, false>>(window, weights, channels, out);
}
void qdwconv_u8s8_64c4_x86_avx512vnni_s8(const QDwTile& t) {
  run_qdwconv<Quads<V512, true>, Quads<V256, true>, Quads<V128, true>>(t);
}
void qdwconv_u8s8_64c4_x86_avx512vnni_u8(const QDwTile& t) {
  run_qdwconv<Quads<V512, false>, Quads<V256, false>, Quads<V128, false>>(t);
}

}  // namespace octavo
