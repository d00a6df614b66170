#include <immintrin.h>

#include "kernels/bitgemm/generic.h"

namespace octavo {
namespace {

// Bits of a byte by a table of the counts of its halves.
struct Avx2 {
  using Reg = __m256i;
  static constexpr size_t kLanes = 8;

  static Reg zero() { return _mm256_setzero_si256(); }
  static Reg load(const uint32_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
  static Reg broadcast(uint32_t word) { return _mm256_set1_epi32(static_cast<int>(word)); }
  static Reg differ(Reg a, Reg b) { return _mm256_xor_si256(a, b); }
  static Reg both(Reg a, Reg b) { return _mm256_and_si256(a, b); }
  static Reg add8(Reg a, Reg b) { return _mm256_add_epi8(a, b); }
  static Reg count(Reg a) {
    const Reg half = _mm256_set1_epi8(15);
    const Reg table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    return _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(a, half)),
                           _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi32(a, 4), half)));
  }
  static void take_twice(Reg bytes, int32_t* from) {
    const Reg pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1));
    const Reg twice = _mm256_madd_epi16(pairs, _mm256_set1_epi16(2));
    Reg* at = reinterpret_cast<Reg*>(from);
    _mm256_storeu_si256(at, _mm256_sub_epi32(_mm256_loadu_si256(at), twice));
  }

  static SignWord signs(const uint8_t* x, uint8_t flip, uint8_t zero) {
    // Compared as signed bytes.
    const Reg z = _mm256_set1_epi8(static_cast<char>(zero ^ 0x80));
    const Reg v = _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const Reg*>(x)),
                                   _mm256_set1_epi8(static_cast<char>(flip ^ 0x80)));
    return {static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpgt_epi8(v, z))),
            ~static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, z)))};
  }
};

}  // namespace

extern const BitKernel bitgemm_x86_avx2;
const BitKernel bitgemm_x86_avx2 = {
    Isa::x86_avx2, "bitgemm_7x8_x86_avx2", tile_by_bytes<Avx2, 7, 1>, pack_rows<Avx2>, 7, 8, nullptr};

}  // namespace octavo
