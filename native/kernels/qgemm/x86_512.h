// What the 512-bit kernels share: accumulators of R rows by V vectors of 16 columns to memory. Four vectors become one
// of bytes: two rows of 32 columns, or four rows of 16.
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // avx512fintrin.h, GCC bug 105593
#endif
#include <immintrin.h>

#include "kernels/qgemm/qgemm.h"
#include "simd/unroll.h"

namespace octavo {
namespace {

inline __mmask32 first_columns(size_t n) { return n >= 32 ? 0xFFFFFFFFu : (1u << n) - 1; }

template <int R, int V>
__attribute__((always_inline)) inline void store_int32(const QGemmTile& t, const __m512i (&acc)[R][V]) {
  const __mmask32 columns = first_columns(t.n);
  unroll<R * V>([&](auto i) __attribute__((always_inline)) {
    constexpr int r = i / V, v = i % V;
    int32_t* c =
        reinterpret_cast<int32_t*>(static_cast<uint8_t*>(t.epilogue.c) + static_cast<size_t>(r) * t.epilogue.c_stride);
    _mm512_mask_storeu_epi32(c + v * 16, static_cast<__mmask16>(columns >> (v * 16)), acc[r][v]);
  });
}

// Values in the range of their byte type, of whichever signedness, in four vectors.
struct PackBytes {
  __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  __m512i zero_point, lo, hi;
  bool shift, clamp, is_unsigned;

  // Bounds of the result; `clamp`: it may leave them until the zero point is added.
  PackBytes(int32_t zp, int32_t qmin, int32_t qmax, bool clamp_here)
      : zero_point(_mm512_set1_epi16(static_cast<int16_t>(zp))),
        lo(_mm512_set1_epi16(static_cast<int16_t>(qmin))),
        hi(_mm512_set1_epi16(static_cast<int16_t>(qmax))),
        shift(zp != 0),
        clamp(clamp_here),
        is_unsigned(qmax > 127) {
    // The packs below saturate: the bounds of a type need no clamp.
    if (is_unsigned ? qmin == 0 && qmax == 255 : qmin == -128 && qmax == 127) clamp = false;
  }

  inline __m512i words(__m512i a, __m512i b) const {
    __m512i w = _mm512_packs_epi32(a, b);
    if (shift) w = _mm512_adds_epi16(w, zero_point);
    return clamp ? _mm512_min_epi16(_mm512_max_epi16(w, lo), hi) : w;
  }
  inline __m512i operator()(__m512i a, __m512i b, __m512i c, __m512i d) const {
    const __m512i w0 = words(a, b), w1 = words(c, d);
    return _mm512_permutexvar_epi32(order, is_unsigned ? _mm512_packus_epi16(w0, w1) : _mm512_packs_epi16(w0, w1));
  }
};

// The rows of one packed vector, from row r on.
template <int R, int V>
__attribute__((always_inline)) inline void store_rows(const QGemmTile& t, __mmask32 columns, int r, __m512i bytes) {
  uint8_t* c = static_cast<uint8_t*>(t.epilogue.c) + static_cast<size_t>(r) * t.epilogue.c_stride;
  if (V == 2) {
    _mm256_mask_storeu_epi8(c, columns, _mm512_castsi512_si256(bytes));
    if (r + 1 < R) _mm256_mask_storeu_epi8(c + t.epilogue.c_stride, columns, _mm512_extracti64x4_epi64(bytes, 1));
    return;
  }
  const __mmask16 some = static_cast<__mmask16>(columns);
  _mm_mask_storeu_epi8(c, some, _mm512_castsi512_si128(bytes));
  if (r + 1 < R) _mm_mask_storeu_epi8(c + t.epilogue.c_stride, some, _mm512_extracti32x4_epi32(bytes, 1));
  if (r + 2 < R) _mm_mask_storeu_epi8(c + 2 * t.epilogue.c_stride, some, _mm512_extracti32x4_epi32(bytes, 2));
  if (r + 3 < R) _mm_mask_storeu_epi8(c + 3 * t.epilogue.c_stride, some, _mm512_extracti32x4_epi32(bytes, 3));
}

// integer(r, v): what goes to pack.
template <int R, int V, class Integer>
__attribute__((always_inline)) inline void store_packed(const QGemmTile& t, const PackBytes& pack, Integer integer) {
  const __mmask32 columns = first_columns(t.n);
  unroll<(R * V + 3) / 4>([&](auto group) __attribute__((always_inline)) {
    const auto at = [&](auto i) __attribute__((always_inline)) {
      constexpr int index = group * 4 + i < R * V ? group * 4 + i : R * V - 1;
      return integer(std::integral_constant<int, index / V>{}, std::integral_constant<int, index % V>{});
    };
    const __m512i bytes = pack(at(std::integral_constant<int, 0>{}), at(std::integral_constant<int, 1>{}),
                               at(std::integral_constant<int, 2>{}), at(std::integral_constant<int, 3>{}));
    store_rows<R, V>(t, columns, group * 4 / V, bytes);
  });
}

// x + y, bit for bit, where Zen has its multipliers: the adders are what these epilogues wait for.
inline __m512 add_by_fma(__m512 x, __m512 y) { return _mm512_fmadd_ps(x, _mm512_set1_ps(1.0f), y); }

// Bytes plus a residual. kSmall: nothing overflows an int32, so that clamps may follow the conversions.
template <int R, int V, bool kSmall>
__attribute__((always_inline)) inline void store_sums(const QGemmTile& t, const __m512i (&acc)[R][V],
                                                      const __m512 (&multiplier)[V]) {
  const Requantize& q = t.epilogue.requantize;
  const ResidualAdd& p = t.epilogue.add;
  const __m512 ra = _mm512_set1_ps(p.ra), rb = _mm512_set1_ps(p.rb), odd = _mm512_set1_ps(p.odd);
  const __m512 lo = _mm512_set1_ps(q.lo), hi = _mm512_set1_ps(q.hi), sum_lo = _mm512_set1_ps(p.lo),
               sum_hi = _mm512_set1_ps(p.hi);
  const __m512i low = _mm512_set1_epi32(static_cast<int32_t>(q.lo)),
                high = _mm512_set1_epi32(static_cast<int32_t>(q.hi));
  // Signed bytes come as unsigned ones, 128 more.
  const __m128i flip = _mm_set1_epi8(p.is_signed ? -128 : 0);
  const __m512i zb = _mm512_set1_epi32(p.zb + (p.is_signed ? 128 : 0));
  const PackBytes pack(p.even, static_cast<int32_t>(p.lo) + p.even, static_cast<int32_t>(p.hi) + p.even, kSmall);
  store_packed<R, V>(t, pack, [&](auto r, auto v) __attribute__((always_inline)) {
    __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[r][v]), multiplier[v]);
    if (!kSmall) scaled = _mm512_min_ps(_mm512_max_ps(scaled, lo), hi);
    __m512i byte = _mm512_cvtps_epi32(scaled);
    if (kSmall) byte = _mm512_min_epi32(_mm512_max_epi32(byte, low), high);
    const __m512 a = _mm512_cvtepi32_ps(byte);
    const auto* from = reinterpret_cast<const __m128i*>(
        t.epilogue.residual + static_cast<size_t>(r) * t.epilogue.c_stride + static_cast<size_t>(v) * 16);
    const __m512i bytes = _mm512_cvtepu8_epi32(_mm_xor_si128(_mm_loadu_si128(from), flip));
    const __m512 b = _mm512_cvtepi32_ps(_mm512_sub_epi32(bytes, zb));
    const __m512 sum = add_by_fma(add_by_fma(_mm512_mul_ps(ra, a), _mm512_mul_ps(rb, b)), odd);
    return _mm512_cvtps_epi32(kSmall ? sum : _mm512_min_ps(_mm512_max_ps(sum, sum_lo), sum_hi));
  });
}

template <int R, int V>
__attribute__((always_inline)) inline void store_bytes(const QGemmTile& t, const __m512i (&acc)[R][V]) {
  const Requantize& q = t.epilogue.requantize;
  const int32_t qmin = static_cast<int32_t>(q.lo) + q.zero_point, qmax = static_cast<int32_t>(q.hi) + q.zero_point;
  __m512 multiplier[V];
  for (int v = 0; v < V; ++v) multiplier[v] = _mm512_loadu_ps(t.epilogue.multiplier + v * 16);
  if (t.epilogue.residual) {
    if (q.fits_int32 && t.epilogue.add.fits_int32) return store_sums<R, V, true>(t, acc, multiplier);
    return store_sums<R, V, false>(t, acc, multiplier);
  }
  if (q.fits_int32) {
    store_packed<R, V>(t, PackBytes(q.zero_point, qmin, qmax, true),
                       [&](auto r, auto v) __attribute__((always_inline)) {
                         return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(acc[r][v]), multiplier[v]));
                       });
    return;
  }
  const __m512 lo = _mm512_set1_ps(q.lo), hi = _mm512_set1_ps(q.hi);
  store_packed<R, V>(t, PackBytes(q.zero_point, qmin, qmax, false), [&](auto r, auto v) __attribute__((always_inline)) {
    const __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[r][v]), multiplier[v]);
    return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(scaled, lo), hi));
  });
}

}  // namespace
}  // namespace octavo
