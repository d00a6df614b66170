// AVX512-VNNI, Ice Lake and Zen 4 onwards: 14 rows keep 28 of the 32 registers as accumulators.
// vpdpbusd multiplies four unsigned bytes by four signed ones and wraps; vpdpbusds would saturate.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // avx512fintrin.h, GCC bug 105593
#endif
#include <immintrin.h>

#include <cstring>

#include "kernels/qgemm/qgemm.h"

namespace octavo {
namespace {

constexpr size_t kRows = 14;

inline __m512i broadcast4(const uint8_t* p) {
  int32_t v;
  std::memcpy(&v, p, sizeof v);
  return _mm512_set1_epi32(v);
}

inline __mmask16 column_mask(size_t n, int vector) {
  const size_t first = static_cast<size_t>(vector) * 16;
  if (n >= first + 16) return 0xFFFF;
  return n <= first ? 0 : static_cast<__mmask16>((1u << (n - first)) - 1);
}

// R rows by V vectors of 16 columns.
template <int R, int V>
void tile(const QGemmTile& t) {
  __m512i acc[R][V];
  for (int v = 0; v < V; ++v) {
    const __m512i bias = _mm512_loadu_si512(t.bias + v * 16);
#pragma GCC unroll 14
    for (int r = 0; r < R; ++r) acc[r][v] = bias;
  }

  const int8_t* w = t.panel;
  for (size_t tap = 0; tap < t.taps; ++tap) {
    const uint8_t* a[R];
#pragma GCC unroll 14
    for (int r = 0; r < R; ++r) a[r] = t.rows[tap * kRows + static_cast<size_t>(r)];
    for (size_t k = 0; k < t.k; k += 4, w += V * 64) {
      __m512i wv[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) wv[v] = _mm512_loadu_si512(w + v * 64);
#pragma GCC unroll 14
      for (int r = 0; r < R; ++r) {
        const __m512i av = broadcast4(a[r] + k);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) acc[r][v] = _mm512_dpbusd_epi32(acc[r][v], av, wv[v]);
      }
    }
  }

  if (t.store == QGemmStore::kInt32) {
#pragma GCC unroll 14
    for (int r = 0; r < R; ++r) {
      if (static_cast<size_t>(r) >= t.m) break;
      int32_t* c = reinterpret_cast<int32_t*>(static_cast<uint8_t*>(t.c) + static_cast<size_t>(r) * t.c_stride);
      for (int v = 0; v < V; ++v) _mm512_mask_storeu_epi32(c + v * 16, column_mask(t.n, v), acc[r][v]);
    }
    return;
  }

  const __m512 lo = _mm512_set1_ps(t.requantize.lo), hi = _mm512_set1_ps(t.requantize.hi);
  const __m512i zero_point = _mm512_set1_epi32(t.requantize.zero_point);
  __m512 multiplier[V];
  for (int v = 0; v < V; ++v) multiplier[v] = _mm512_loadu_ps(t.multiplier + v * 16);
#pragma GCC unroll 14
  for (int r = 0; r < R; ++r) {
    if (static_cast<size_t>(r) >= t.m) break;
    uint8_t* c = static_cast<uint8_t*>(t.c) + static_cast<size_t>(r) * t.c_stride;
    for (int v = 0; v < V; ++v) {
      const __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[r][v]), multiplier[v]);
      const __m512 clamped = _mm512_min_ps(_mm512_max_ps(scaled, lo), hi);
      const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(_mm512_cvtps_epi32(clamped), zero_point));
      const __mmask16 mask = column_mask(t.n, v);
      if (mask == 0xFFFF)
        _mm_storeu_si128(reinterpret_cast<__m128i*>(c + v * 16), bytes);
      else
        _mm_mask_storeu_epi8(c + v * 16, mask, bytes);
    }
  }
}

// The last rows of a matrix take the smallest tile that holds them.
template <int V>
inline void dispatch_rows(const QGemmTile& t) {
  if (t.m > 10) return tile<14, V>(t);
  if (t.m > 8) return tile<10, V>(t);
  if (t.m > 6) return tile<8, V>(t);
  if (t.m > 4) return tile<6, V>(t);
  if (t.m > 2) return tile<4, V>(t);
  if (t.m > 1) return tile<2, V>(t);
  return tile<1, V>(t);
}

}  // namespace

void qgemm_u8s8_14x32c4_x86_avx512vnni(const QGemmTile& t) { dispatch_rows<2>(t); }
void qgemm_u8s8_14x16c4_x86_avx512vnni(const QGemmTile& t) { dispatch_rows<1>(t); }

}  // namespace octavo
