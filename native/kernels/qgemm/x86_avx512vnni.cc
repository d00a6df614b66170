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

// Vectors of a panel of bytes.
struct Bytes {
  static constexpr size_t kStep = 2 * 64;  // bytes of four k

  explicit Bytes(const QGemmTile&) {}
  template <int V>
  void load(const int8_t* w, __m512i (&to)[V]) const {
    unroll<V>([&](auto v) __attribute__((always_inline)) {
      to[v] = _mm512_loadu_si512(w + v * 64);
      _mm_prefetch(w + v * 64 + kAhead, _MM_HINT_T0);
    });
  }
};

// The same of a panel in 4 bits: both vectors of four k are a block of qunpack.
struct Fours {
  static constexpr size_t kStep = 64;
  const uint8_t* zeros;

  explicit Fours(const QGemmTile& t) : zeros(t.operands.zeros) {}
  template <int V>
  __attribute__((always_inline)) void load(const int8_t* w, __m512i (&to)[V]) const {
    const __m512i both = _mm512_loadu_si512(w), mask = _mm512_set1_epi8(15);
    _mm_prefetch(w + kAhead / 2, _MM_HINT_T0);
    to[0] = _mm512_sub_epi8(_mm512_and_si512(both, mask), _mm512_loadu_si512(zeros));
    if constexpr (V == 2)
      to[1] = _mm512_sub_epi8(_mm512_and_si512(_mm512_srli_epi16(both, 4), mask), _mm512_loadu_si512(zeros + 64));
  }
};

// R rows by V vectors of 16 columns, of panels of two.
template <int R, int V, class Weights>
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

  const Weights weights(t);
  const int8_t* w = t.operands.panel;
  for (size_t tap = 0; tap < t.operands.taps; ++tap) {
    const uint8_t* a[R];
    unroll<R>([&](auto r)
                  __attribute__((always_inline)) { a[r] = t.operands.rows[tap * kRows + static_cast<size_t>(r)]; });
    for (size_t k = 0; k < t.operands.k; k += 4, w += Weights::kStep) {
      __m512i wv[V];
      weights.template load<V>(w, wv);
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
template <int V, class W>
constexpr QGemmFunction kTiles[kRows] = {tile<1, V, W>,  tile<2, V, W>,  tile<3, V, W>,  tile<4, V, W>, tile<5, V, W>,
                                         tile<6, V, W>,  tile<7, V, W>,  tile<8, V, W>,  tile<9, V, W>, tile<10, V, W>,
                                         tile<11, V, W>, tile<12, V, W>, tile<13, V, W>, tile<14, V, W>};

template <class W>
void multiply(const QGemmTile& t) {
  if (t.n > 16) return kTiles<2, W>[t.m - 1](t);
  // A broadcast for every product: no more rows at once than there are registers for their pointers.
  constexpr size_t kHalf = kRows / 2;
  if (t.m <= kHalf) return kTiles<1, W>[t.m - 1](t);
  QGemmTile half = t;
  half.m = kHalf;
  kTiles<1, W>[kHalf - 1](half);
  half.operands.rows += kHalf;
  half.epilogue.c = static_cast<uint8_t*>(t.epilogue.c) + kHalf * t.epilogue.c_stride;
  if (t.epilogue.residual) half.epilogue.residual += kHalf * t.epilogue.c_stride;
  half.m = t.m - kHalf;
  kTiles<1, W>[half.m - 1](half);
}

}  // namespace

void qgemm_u8s8_14x32c4_x86_avx512vnni(const QGemmTile& t) { multiply<Bytes>(t); }
void qgemm_u8s8_14x32c4_x86_avx512vnni_fours(const QGemmTile& t) { multiply<Fours>(t); }

}  // namespace octavo
