// AVX2: both operands are widened to 16 bits, so vpmaddwd is exact for every int8 weight, -128 too, and a sum of 32 products
// takes two multiplies and two additions. |a|, vpsignb(w, a), vpmaddubsw, vpmaddwd, vpaddd is as many instructions, has a limit,
// and three of them need the multiplier's ports on Intel's cores.
#include "kernels/qgemm/x86_256.h"

namespace octavo {
namespace {

// k of a row that are widened at a time. Short enough for the processor to widen ahead of the products it still has to do.
constexpr size_t kDepth = 64;

inline __m256i widen16(const void* p) { return _mm256_cvtepi8_epi16(_mm_loadu_si128(static_cast<const __m128i*>(p))); }

inline __m256i broadcast_pair(const int16_t* p) {
  int32_t pair;
  std::memcpy(&pair, p, sizeof pair);
  return _mm256_set1_epi32(pair);
}

// R of kRows rows by V vectors of 8 columns; pairs of k lie together.
template <size_t kRows, int R, int V>
void tile(const QGemmTile& t) {
  __m256i acc[R][V];
  unroll<R * V>([&](auto i) __attribute__((always_inline)) { acc[i / V][i % V] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(t.bias + i % V * 8)); });
  prefetch_residual<R>(t);

  alignas(32) int16_t wide[R][kDepth + 16];  // 16: the last vector of a tap may overhang
  const int8_t* w = t.panel;
  for (size_t tap = 0, k = 0; tap < t.taps;) {
    size_t depth = 0;
    do {
      const uint8_t* a[R];
      unroll<R>([&](auto r) __attribute__((always_inline)) { a[r] = t.rows[tap * kRows + static_cast<size_t>(r)] + k; });
      const size_t count = t.k - k < kDepth - depth ? t.k - k : kDepth - depth;
      for (size_t i = 0; i < count; i += 16)
        unroll<R>([&](auto r) __attribute__((always_inline)) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(wide[r] + depth + i), widen16(a[r] + i)); });
      depth += (count + 1) / 2 * 2;
      k += count;
      if (k == t.k) k = 0, ++tap;
    } while (tap < t.taps && depth < kDepth);

    for (size_t i = 0; i < depth; i += 2, w += V * 16) {
      __m256i wv[V];
      unroll<V>([&](auto v) __attribute__((always_inline)) { wv[v] = widen16(w + v * 16); });
      unroll<R>([&](auto r) __attribute__((always_inline)) {
        const __m256i av = broadcast_pair(wide[r] + i);
        unroll<V>([&](auto v) __attribute__((always_inline)) { acc[r][v] = _mm256_add_epi32(acc[r][v], _mm256_madd_epi16(av, wv[v])); });
      });
    }
  }
  store_tile<R, V>(t, acc);
}

// A tile of its own for every number of rows: none is computed in vain.
template <int V, int... I>
inline void run_tile(const QGemmTile& t, std::integer_sequence<int, I...>) {
  static constexpr QGemmFunction kTiles[] = {tile<sizeof...(I), I + 1, V>...};
  kTiles[t.m - 1](t);
}

}  // namespace

void qgemm_s8s8_6x16c2_x86_avx2(const QGemmTile& t) { run_tile<2>(t, std::make_integer_sequence<int, 6>{}); }
void qgemm_s8s8_12x8c2_x86_avx2(const QGemmTile& t) { run_tile<1>(t, std::make_integer_sequence<int, 12>{}); }

}  // namespace octavo
