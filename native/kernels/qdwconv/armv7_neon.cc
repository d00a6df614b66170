#include "kernels/qdwconv/neon.h"

namespace octavo {

void qdwconv_8c_armv7_neon_s8(const QDwTile& t) { qdw_tile<true>(t); }
void qdwconv_8c_armv7_neon_u8(const QDwTile& t) { qdw_tile<false>(t); }

}  // namespace octavo
