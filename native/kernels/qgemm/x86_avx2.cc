// AVX2: both operands are widened to 16 bits, so vpmaddwd is exact for every int8 weight, -128 too, and 32 products
// take two multiplies and two additions. vpsignb(w, a), vpmaddubsw with |a|, vpmaddwd, vpaddd is as many instructions,
// but three of them share the multipliers' two ports (Skylake, Zen 4: 75 GMAC/s in registers against 90), and -128 is
// left out.
#include "kernels/qgemm/x86_256.h"

namespace octavo {
namespace {

constexpr size_t kRows = 6;

// k of a row that are widened at a time: 64 to 128 are equally fast, 32 and 256 are 1 to 2 % slower.
constexpr size_t kDepth = 96;

inline __m256i widen16(const void* p) { return _mm256_cvtepi8_epi16(_mm_loadu_si128(static_cast<const __m128i*>(p))); }

inline __m256i broadcast_pair(const int16_t* p) {
  int32_t pair;
  std::memcpy(&pair, p, sizeof pair);
  return _mm256_set1_epi32(pair);
}

// R rows by V vectors of 8 columns, of panels of two; pairs of k lie together.
template <int R, int V>
void tile(const QGemmTile& t) {
  __m256i acc[R][V];
  unroll<R * V>([&](auto i) __attribute__((always_inline)) {
    acc[i / V][i % V] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(t.epilogue.bias + i % V * 8));
  });
  prefetch_residual<R>(t);

  alignas(32) int16_t wide[R][kDepth + 16];  // 16: the last vector of a tap may overhang
  const int8_t* w = t.operands.panel;
  for (size_t tap = 0, k = 0; tap < t.operands.taps;) {
    size_t depth = 0;
    do {
      const uint8_t* a[R];
      unroll<R>([&](auto r) __attribute__((always_inline)) {
        a[r] = t.operands.rows[tap * kRows + static_cast<size_t>(r)] + k;
      });
      const size_t count = t.operands.k - k < kDepth - depth ? t.operands.k - k : kDepth - depth;
      for (size_t i = 0; i < count; i += 16)
        unroll<R>([&](auto r) __attribute__((always_inline)) {
          _mm256_storeu_si256(reinterpret_cast<__m256i*>(wide[r] + depth + i), widen16(a[r] + i));
        });
      depth += (count + 1) / 2 * 2;
      k += count;
      if (k == t.operands.k) k = 0, ++tap;
    } while (tap < t.operands.taps && depth < kDepth);

    for (size_t i = 0; i < depth; i += 2, w += 2 * 16) {
      __m256i wv[V];
      unroll<V>([&](auto v) __attribute__((always_inline)) { wv[v] = widen16(w + v * 16); });
      unroll<R>([&](auto r) __attribute__((always_inline)) {
        const __m256i av = broadcast_pair(wide[r] + i);
        unroll<V>([&](auto v) __attribute__((always_inline)) {
          acc[r][v] = _mm256_add_epi32(acc[r][v], _mm256_madd_epi16(av, wv[v]));
        });
      });
    }
  }
  store_tile<R, V>(t, acc);
}

// A tile of its own for every number of rows, and for the last half of a panel: none is computed in vain.
template <int V>
constexpr QGemmFunction kTiles[kRows] = {tile<1, V>, tile<2, V>, tile<3, V>, tile<4, V>, tile<5, V>, tile<6, V>};

}  // namespace

void qgemm_s8s8_6x16c2_x86_avx2(const QGemmTile& t) { (t.n > 8 ? kTiles<2> : kTiles<1>)[t.m - 1](t); }

}  // namespace octavo
