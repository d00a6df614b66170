// AVX512-VNNI, Ice Lake and Zen 4 onwards: 14 rows keep 28 of the 32 registers as accumulators.
// vpdpbusd multiplies four unsigned bytes by four signed ones and wraps; vpdpbusds would saturate.
#include "kernels/qgemm/x86_512.h"

#include <cstring>

namespace octavo {
namespace {

constexpr size_t kRows = 14;
// Weights are fetched this far ahead: the hardware stops at the end of a page. ResNet-50's last stage, whose weights
// come from the third level, takes 8 % less on Zen 4.
constexpr size_t kAhead = 4096;

inline __m512i broadcast4(const uint8_t* p) {
  int32_t v;
  std::memcpy(&v, p, sizeof v);
  return _mm512_set1_epi32(v);
}

// R rows by V vectors of 16 columns, of panels of two.
template <int R, int V>
void tile(const QGemmTile& t) {
  __m512i acc[R][V];
  unroll<R * V>([&](auto i) __attribute__((always_inline)) {
    acc[i / V][i % V] = _mm512_loadu_si512(t.epilogue.bias + i % V * 16);
  });

  // Read when the sums are done: by then it has come from beyond the second level.
  if (t.epilogue.residual)
    unroll<R>([&](auto r) __attribute__((always_inline)) {
      _mm_prefetch(t.epilogue.residual + static_cast<size_t>(r) * t.epilogue.c_stride, _MM_HINT_T0);
    });

  const int8_t* w = t.operands.panel;
  for (size_t tap = 0; tap < t.operands.taps; ++tap) {
    const uint8_t* a[R];
    unroll<R>([&](auto r)
                  __attribute__((always_inline)) { a[r] = t.operands.rows[tap * kRows + static_cast<size_t>(r)]; });
    for (size_t k = 0; k < t.operands.k; k += 4, w += 2 * 64) {
      __m512i wv[V];
      unroll<V>([&](auto v) __attribute__((always_inline)) {
        wv[v] = _mm512_loadu_si512(w + v * 64);
        _mm_prefetch(w + v * 64 + kAhead, _MM_HINT_T0);
      });
      unroll<R>([&](auto r) __attribute__((always_inline)) {
        const __m512i av = broadcast4(a[r] + k);
        unroll<V>([&](auto v)
                      __attribute__((always_inline)) { acc[r][v] = _mm512_dpbusd_epi32(acc[r][v], av, wv[v]); });
      });
    }
  }

  if (t.epilogue.store == QGemmStore::kInt32) store_int32<R, V>(t, acc);
  else store_bytes<R, V>(t, acc);
}

// A tile of its own for every number of rows: none is computed in vain.
template <int V>
constexpr QGemmFunction kTiles[kRows] = {tile<1, V>,  tile<2, V>,  tile<3, V>,  tile<4, V>, tile<5, V>,
                                         tile<6, V>,  tile<7, V>,  tile<8, V>,  tile<9, V>, tile<10, V>,
                                         tile<11, V>, tile<12, V>, tile<13, V>, tile<14, V>};

}  // namespace

void qgemm_u8s8_14x32c4_x86_avx512vnni(const QGemmTile& t) {
  if (t.n > 16) return kTiles<2>[t.m - 1](t);
  // A broadcast for every product: no more rows at once than there are registers for their pointers.
  constexpr size_t kHalf = kRows / 2;
  if (t.m <= kHalf) return kTiles<1>[t.m - 1](t);
  QGemmTile half = t;
  half.m = kHalf;
  kTiles<1>[kHalf - 1](half);
  half.operands.rows += kHalf;
  half.epilogue.c = static_cast<uint8_t*>(t.epilogue.c) + kHalf * t.epilogue.c_stride;
  if (t.epilogue.residual) half.epilogue.residual += kHalf * t.epilogue.c_stride;
  half.m = t.m - kHalf;
  kTiles<1>[half.m - 1](half);
}

}  // namespace octavo
