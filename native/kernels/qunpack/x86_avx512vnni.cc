#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // avx512fintrin.h, GCC bug 105593
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include "kernels/qunpack/qunpack.h"

namespace octavo {
namespace {

// Stored levels are fetched this far ahead: they are read once, from memory.
constexpr size_t kAhead = 2048;

inline void put(int8_t* out, __m512i levels, __m512i zeros) {
  _mm512_storeu_si512(out, _mm512_sub_epi8(levels, zeros));
}

void fours(const uint8_t* stored, const uint8_t* zeros, size_t blocks, int8_t* out) {
  const __m512i z0 = _mm512_loadu_si512(zeros), z1 = _mm512_loadu_si512(zeros + 64), mask = _mm512_set1_epi8(15);
  for (; blocks > 0; --blocks, stored += 64, out += kQUnpackBlock) {
    const __m512i v = _mm512_loadu_si512(stored);
    _mm_prefetch(reinterpret_cast<const char*>(stored) + kAhead, _MM_HINT_T0);
    put(out, _mm512_and_si512(v, mask), z0);
    put(out + 64, _mm512_and_si512(_mm512_srli_epi16(v, 4), mask), z1);
  }
}

void twos(const uint8_t* stored, const uint8_t* zeros, size_t blocks, int8_t* out) {
  const __m512i z0 = _mm512_loadu_si512(zeros), z1 = _mm512_loadu_si512(zeros + 64), mask = _mm512_set1_epi8(3);
  // Halves of a vector are shifted by two bits less than the other one.
  const __m512i by = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(2), 1);
  for (; blocks > 0; --blocks, stored += 32, out += kQUnpackBlock) {
    const __m512i v = _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(stored)));
    const __m512i low = _mm512_srlv_epi16(v, by);
    put(out, _mm512_and_si512(low, mask), z0);
    put(out + 64, _mm512_and_si512(_mm512_srli_epi16(low, 4), mask), z1);
  }
}

// A bit of every byte, as 0 and 2, of four shares of 16 panel bytes at a time.
void signs(const uint8_t* stored, const uint8_t* zeros, size_t blocks, int8_t* out) {
  const __m512i z0 = _mm512_loadu_si512(zeros), z1 = _mm512_loadu_si512(zeros + 64), mask = _mm512_set1_epi8(1);
  const __m512i by = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  for (; blocks > 0; --blocks, stored += 16, out += kQUnpackBlock) {
    const __m512i v = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(stored)));
    const __m512i low = _mm512_srlv_epi32(v, by);
    const __m512i first = _mm512_and_si512(low, mask), second = _mm512_and_si512(_mm512_srli_epi32(low, 4), mask);
    put(out, _mm512_add_epi8(first, first), z0);
    put(out + 64, _mm512_add_epi8(second, second), z1);
  }
}

}  // namespace

extern const QUnpackKernels qunpack_x86_avx512vnni;
const QUnpackKernels qunpack_x86_avx512vnni = {Isa::x86_avx512vnni, fours, twos, signs};

}  // namespace octavo
