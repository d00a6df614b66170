// What the 256-bit kernels share: the sums of a tile, m rows by V vectors of 8 columns, to memory. Four vectors become one of
// bytes: two rows of 16 columns, or four rows of 8. The sums come through memory: one epilogue serves the tiles of all
// heights, which keeps them small, and most of them would have to leave the 16 registers anyway.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "kernels/qgemm/qgemm.h"
#include "simd/unroll.h"

namespace octavo {
namespace {

// The first n of V * 8 columns.
template <int V>
inline void store_columns(uint8_t* c, __m128i bytes, size_t n) {
  if (n >= static_cast<size_t>(V) * 8) {
    if (V == 2) _mm_storeu_si128(reinterpret_cast<__m128i*>(c), bytes);
    else _mm_storel_epi64(reinterpret_cast<__m128i*>(c), bytes);
    return;
  }
  if (n & 8) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(c), bytes);
    c += 8, bytes = _mm_unpackhi_epi64(bytes, bytes);
  }
  uint64_t rest = static_cast<uint64_t>(_mm_cvtsi128_si64(bytes));
  if (n & 4) {
    std::memcpy(c, &rest, 4);
    c += 4, rest >>= 32;
  }
  if (n & 2) {
    std::memcpy(c, &rest, 2);
    c += 2, rest >>= 16;
  }
  if (n & 1) *c = static_cast<uint8_t>(rest);
}

template <int V>
inline void store_int32(const QGemmTile& t, const __m256i* sums) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  __m256i columns[V];
  for (int v = 0; v < V; ++v) columns[v] = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(t.n) - v * 8), lanes);
  for (size_t r = 0; r < t.m; ++r) {
    int32_t* c = reinterpret_cast<int32_t*>(static_cast<uint8_t*>(t.c) + r * t.c_stride);
    for (int v = 0; v < V; ++v) _mm256_maskstore_epi32(c + v * 8, columns[v], sums[r * V + static_cast<size_t>(v)]);
  }
}

// Values in the range of their byte type, of whichever signedness, in four vectors.
struct PackBytes {
  __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  __m256i zero_point, lo, hi;
  bool clamp, is_unsigned;

  // Bounds of the result; `clamp`: it may leave them until the zero point is added.
  PackBytes(int32_t zp, int32_t qmin, int32_t qmax, bool clamp_here)
      : zero_point(_mm256_set1_epi16(static_cast<int16_t>(zp))), lo(_mm256_set1_epi16(static_cast<int16_t>(qmin))),
        hi(_mm256_set1_epi16(static_cast<int16_t>(qmax))), clamp(clamp_here), is_unsigned(qmax > 127) {
    // The packs below saturate: the bounds of a type need no clamp.
    if (is_unsigned ? qmin == 0 && qmax == 255 : qmin == -128 && qmax == 127) clamp = false;
  }

  inline __m256i words(__m256i a, __m256i b) const {
    const __m256i w = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero_point);
    return clamp ? _mm256_min_epi16(_mm256_max_epi16(w, lo), hi) : w;
  }
  inline __m256i operator()(__m256i a, __m256i b, __m256i c, __m256i d) const {
    const __m256i w0 = words(a, b), w1 = words(c, d);
    return _mm256_permutevar8x32_epi32(is_unsigned ? _mm256_packus_epi16(w0, w1) : _mm256_packs_epi16(w0, w1), order);
  }
};

// integer(r, v): what goes to pack.
template <int V, class Integer>
__attribute__((always_inline)) inline void store_packed(const QGemmTile& t, const PackBytes& pack, Integer integer) {
  constexpr size_t kGroup = 4 / V;
  // Read once: for all that the compiler knows, a byte stored may be one of the tile's fields.
  const size_t m = t.m, n = t.n, stride = t.c_stride;
  uint8_t* c = static_cast<uint8_t*>(t.c);
  const auto group = [&](size_t r, size_t rows) __attribute__((always_inline)) {
    const auto at = [&](size_t i) __attribute__((always_inline)) { return integer(r + (i / V < rows ? i / V : 0), i % V); };
    const __m256i bytes = pack(at(0), at(1), at(2), at(3));
    const __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
    const __m128i row[] = {low, V == 2 ? high : _mm_unpackhi_epi64(low, low), high, _mm_unpackhi_epi64(high, high)};
    for (size_t i = 0; i < rows; ++i, c += stride) store_columns<V>(c, row[i], n);
  };
  size_t r = 0;
  for (; m - r >= kGroup; r += kGroup) group(r, kGroup);
  if (m > r) group(r, m - r);
}

template <int V>
inline void store_bytes(const QGemmTile& t, const __m256i* sums) {
  const Requantize& q = t.requantize;
  const int32_t qmin = static_cast<int32_t>(q.lo) + q.zero_point, qmax = static_cast<int32_t>(q.hi) + q.zero_point;
  __m256 multiplier[V];
  for (int v = 0; v < V; ++v) multiplier[v] = _mm256_loadu_ps(t.multiplier + v * 8);
  const auto scaled = [&](size_t r, size_t v) __attribute__((always_inline)) { return _mm256_mul_ps(_mm256_cvtepi32_ps(sums[r * V + v]), multiplier[v]); };
  if (q.small && !t.residual) {
    store_packed<V>(t, PackBytes(q.zero_point, qmin, qmax, true), [&](size_t r, size_t v) __attribute__((always_inline)) { return _mm256_cvtps_epi32(scaled(r, v)); });
    return;
  }
  const __m256 lo = _mm256_set1_ps(q.lo), hi = _mm256_set1_ps(q.hi);
  const auto clamped = [&](size_t r, size_t v) __attribute__((always_inline)) { return _mm256_min_ps(_mm256_max_ps(scaled(r, v), lo), hi); };
  if (!t.residual) {
    store_packed<V>(t, PackBytes(q.zero_point, qmin, qmax, false), [&](size_t r, size_t v) __attribute__((always_inline)) { return _mm256_cvtps_epi32(clamped(r, v)); });
    return;
  }
  const ResidualAdd p = t.add;
  const uint8_t* residual = t.residual;
  const size_t stride = t.c_stride;
  const __m256 ra = _mm256_set1_ps(p.ra), rb = _mm256_set1_ps(p.rb), odd = _mm256_set1_ps(p.odd);
  const __m256i zb = _mm256_set1_epi32(p.zb);
  const __m256 sum_lo = _mm256_set1_ps(p.lo), sum_hi = _mm256_set1_ps(p.hi);
  const PackBytes pack(p.even, static_cast<int32_t>(p.lo) + p.even, static_cast<int32_t>(p.hi) + p.even, false);
  store_packed<V>(t, pack, [&](size_t r, size_t v) __attribute__((always_inline)) {
    const __m256 a = _mm256_round_ps(clamped(r, v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(residual + r * stride + v * 8));
    const __m256i integers = p.is_signed ? _mm256_cvtepi8_epi32(bytes) : _mm256_cvtepu8_epi32(bytes);
    const __m256 b = _mm256_cvtepi32_ps(_mm256_sub_epi32(integers, zb));
    const __m256 sum = _mm256_add_ps(_mm256_add_ps(_mm256_mul_ps(ra, a), _mm256_mul_ps(rb, b)), odd);
    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(sum, sum_lo), sum_hi));
  });
}

// sums: [m][V].
template <int V>
__attribute__((noinline)) void store_tile(const QGemmTile& t, const __m256i* sums) {
  if (t.store == QGemmStore::kInt32)
    store_int32<V>(t, sums);
  else
    store_bytes<V>(t, sums);
}

// A residual is read when the sums are done: by then it has come from beyond the second level.
template <int R>
__attribute__((always_inline)) inline void prefetch_residual(const QGemmTile& t) {
  if (t.residual) unroll<R>([&](auto r) __attribute__((always_inline)) { _mm_prefetch(t.residual + static_cast<size_t>(r) * t.c_stride, _MM_HINT_T0); });
}

}  // namespace
}  // namespace octavo
