// Groups of four k: bytes of four rows interleaved, or words of sixteen columns transposed.
#include <immintrin.h>

#include <cstring>

#include "kernels/qpack/qpack.h"

namespace octavo {
namespace {

inline __m128i load16(const uint8_t* p, __m128i flip) {
  return _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), flip);
}

inline __m128i load4(const uint8_t* p) {
  int32_t v;
  std::memcpy(&v, p, sizeof v);
  return _mm_cvtsi32_si128(v);
}

// Four columns of one group.
inline void put(int8_t* out, __m128i group, __m128i* sum) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), group);
  const __m128i pairs = _mm_maddubs_epi16(_mm_set1_epi8(1), group);
  *sum = _mm_add_epi32(*sum, _mm_madd_epi16(pairs, _mm_set1_epi16(1)));
}

void rows(const QPackBlock& b) {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(b.flip));
  for (size_t column = 0; column < b.columns; column += 16) {
    __m128i sums[4] = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
    const uint8_t* from = b.data + column;
    int8_t* out = b.out + column * 4;
    for (size_t k = 0; k < b.depth; k += 4, from += 4 * b.k_stride, out += b.group_bytes) {
      const __m128i r0 = load16(from, flip), r1 = load16(from + b.k_stride, flip);
      const __m128i r2 = load16(from + 2 * b.k_stride, flip), r3 = load16(from + 3 * b.k_stride, flip);
      const __m128i low01 = _mm_unpacklo_epi8(r0, r1), high01 = _mm_unpackhi_epi8(r0, r1);
      const __m128i low23 = _mm_unpacklo_epi8(r2, r3), high23 = _mm_unpackhi_epi8(r2, r3);
      put(out, _mm_unpacklo_epi16(low01, low23), &sums[0]);
      put(out + 16, _mm_unpackhi_epi16(low01, low23), &sums[1]);
      put(out + 32, _mm_unpacklo_epi16(high01, high23), &sums[2]);
      put(out + 48, _mm_unpackhi_epi16(high01, high23), &sums[3]);
    }
    for (size_t i = 0; i < 4; ++i) {
      auto* to = reinterpret_cast<__m128i*>(b.sums + column + 4 * i);
      _mm_storeu_si128(to, _mm_add_epi32(_mm_loadu_si128(to), sums[i]));
    }
  }
}

void columns(const QPackBlock& b) {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(b.flip));
  for (size_t column = 0; column < b.columns; column += 4) {
    __m128i sum = _mm_setzero_si128();
    const uint8_t *c0 = b.data + column * b.n_stride, *c1 = c0 + b.n_stride, *c2 = c1 + b.n_stride,
                  *c3 = c2 + b.n_stride;
    int8_t* out = b.out + column * 4;
    size_t k = 0;
    for (; k + 16 <= b.depth; k += 16, out += 4 * b.group_bytes) {
      const __m128i v0 = load16(c0 + k, flip), v1 = load16(c1 + k, flip), v2 = load16(c2 + k, flip),
                    v3 = load16(c3 + k, flip);
      const __m128i low01 = _mm_unpacklo_epi32(v0, v1), high01 = _mm_unpackhi_epi32(v0, v1);
      const __m128i low23 = _mm_unpacklo_epi32(v2, v3), high23 = _mm_unpackhi_epi32(v2, v3);
      put(out, _mm_unpacklo_epi64(low01, low23), &sum);
      put(out + b.group_bytes, _mm_unpackhi_epi64(low01, low23), &sum);
      put(out + 2 * b.group_bytes, _mm_unpacklo_epi64(high01, high23), &sum);
      put(out + 3 * b.group_bytes, _mm_unpackhi_epi64(high01, high23), &sum);
    }
    for (; k < b.depth; k += 4, out += b.group_bytes) {
      const __m128i low = _mm_unpacklo_epi32(load4(c0 + k), load4(c1 + k)),
                    high = _mm_unpacklo_epi32(load4(c2 + k), load4(c3 + k));
      put(out, _mm_xor_si128(_mm_unpacklo_epi64(low, high), flip), &sum);
    }
    auto* to = reinterpret_cast<__m128i*>(b.sums + column);
    _mm_storeu_si128(to, _mm_add_epi32(_mm_loadu_si128(to), sum));
  }
}

}  // namespace

extern const QPackKernel qpack_c4_x86_avx2;
const QPackKernel qpack_c4_x86_avx2 = {Isa::x86_avx2, 4, 16, rows, columns};

}  // namespace octavo
