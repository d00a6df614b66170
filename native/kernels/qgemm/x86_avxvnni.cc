// AVX-VNNI (VEX): Alder Lake E cores, Meteor Lake, Sierra Forest. 12 accumulators of the 16 registers.
#include "kernels/qgemm/x86_256.h"

namespace octavo {
namespace {

constexpr size_t kRows = 6;

inline __m256i broadcast4(const uint8_t* p) {
  int32_t v;
  std::memcpy(&v, p, sizeof v);
  return _mm256_set1_epi32(v);
}

// R rows by V vectors of 8 columns, of panels of two.
template <int R, int V>
void tile(const QGemmTile& t) {
  __m256i acc[R][V];
  unroll<R * V>([&](auto i) __attribute__((always_inline)) {
    acc[i / V][i % V] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(t.epilogue.bias + i % V * 8));
  });
  prefetch_residual<R>(t);

  const int8_t* w = t.operands.panel;
  for (size_t tap = 0; tap < t.operands.taps; ++tap) {
    const uint8_t* a[R];
    unroll<R>([&](auto r)
                  __attribute__((always_inline)) { a[r] = t.operands.rows[tap * kRows + static_cast<size_t>(r)]; });
    for (size_t k = 0; k < t.operands.k; k += 4, w += 2 * 32) {
      __m256i wv[V];
      unroll<V>([&](auto v) __attribute__((always_inline)) {
        wv[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + v * 32));
      });
      unroll<R>([&](auto r) __attribute__((always_inline)) {
        const __m256i av = broadcast4(a[r] + k);
        unroll<V>([&](auto v)
                      __attribute__((always_inline)) { acc[r][v] = _mm256_dpbusd_avx_epi32(acc[r][v], av, wv[v]); });
      });
    }
  }
  store_tile<R, V>(t, acc);
}

// A tile of its own for every number of rows, and for the last half of a panel: none is computed in vain.
template <int V>
constexpr QGemmFunction kTiles[kRows] = {tile<1, V>, tile<2, V>, tile<3, V>, tile<4, V>, tile<5, V>, tile<6, V>};

}  // namespace

void qgemm_u8s8_6x16c4_x86_avxvnni(const QGemmTile& t) { (t.n > 8 ? kTiles<2> : kTiles<1>)[t.m - 1](t); }

}  // namespace octavo
