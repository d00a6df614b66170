// AVX2: both operands are widened to 16 bits, so pmaddwd is exact for every int8 weight, -128 too. As many
// operations per product as the |a|, sign(w, a), pmaddubsw way (2 + 2 against 4 per 32 products), without its limit.
#include "kernels/qgemm/x86_256.h"

namespace octavo {
namespace {

constexpr size_t kRows = 3;

inline __m256i widen16(const int8_t* p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

// Four k of a row, widened, in all four quarters.
inline __m256i broadcast_widened(const uint8_t* p) { return _mm256_cvtepi8_epi16(_mm_set1_epi32(load4(p))); }

// x and y hold two partial sums for each of four columns.
inline __m256i join(__m256i x, __m256i y) { return _mm256_permute4x64_epi64(_mm256_hadd_epi32(x, y), 0xD8); }

template <int R>
void tile(const QGemmTile& t) {
  __m256i acc[R][4];
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) acc[r][v] = _mm256_setzero_si256();

  const int8_t* w = t.panel;
  for (size_t tap = 0; tap < t.taps; ++tap) {
    const uint8_t* a[R];
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r) a[r] = t.rows[tap * kRows + static_cast<size_t>(r)];
    for (size_t k = 0; k < t.k; k += 4, w += 64) {
      __m256i av[R];
#pragma GCC unroll 3
      for (int r = 0; r < R; ++r) av[r] = broadcast_widened(a[r] + k);
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) {
        const __m256i wv = widen16(w + v * 16);
#pragma GCC unroll 3
        for (int r = 0; r < R; ++r) acc[r][v] = _mm256_add_epi32(acc[r][v], _mm256_madd_epi16(av[r], wv));
      }
    }
  }

  const Epilogue256 epilogue(t);
  const __m256i* bias = reinterpret_cast<const __m256i*>(t.bias);
  const __m256i bias0 = _mm256_loadu_si256(bias), bias1 = _mm256_loadu_si256(bias + 1);
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r) {
    if (static_cast<size_t>(r) >= t.m) break;
    epilogue.store(t, static_cast<size_t>(r), _mm256_add_epi32(join(acc[r][0], acc[r][1]), bias0),
                   _mm256_add_epi32(join(acc[r][2], acc[r][3]), bias1));
  }
}

}  // namespace

void qgemm_s8s8_3x16c4_x86_avx2(const QGemmTile& t) {
  if (t.m > 2) return tile<3>(t);
  if (t.m > 1) return tile<2>(t);
  return tile<1>(t);
}

}  // namespace octavo
