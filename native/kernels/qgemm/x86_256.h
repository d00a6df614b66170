// What the 256-bit kernels share: the sums of a tile, m rows by V vectors of 8 columns, to memory. Four vectors become
// one of bytes: two rows of 16 columns, or four rows of 8. Edges, int32 and residuals come through memory, where one
// epilogue serves the tiles of all heights: 20 KB of code with AVX2 instead of 66, for 5 ns more a tile.
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
    int32_t* c = reinterpret_cast<int32_t*>(static_cast<uint8_t*>(t.epilogue.c) + r * t.epilogue.c_stride);
    for (int v = 0; v < V; ++v) _mm256_maskstore_epi32(c + v * 8, columns[v], sums[r * V + static_cast<size_t>(v)]);
  }
}

// Values of the output, its zero point left out.
template <int V>
struct Scale {
  __m256 lo, hi, multiplier[V];

  explicit Scale(const QGemmTile& t)
      : lo(_mm256_set1_ps(t.epilogue.requantize.lo)), hi(_mm256_set1_ps(t.epilogue.requantize.hi)) {
    for (int v = 0; v < V; ++v) multiplier[v] = _mm256_loadu_ps(t.epilogue.multiplier + v * 8);
  }
  inline __m256 operator()(__m256i sum, size_t v) const {
    return _mm256_min_ps(_mm256_max_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sum), multiplier[v]), lo), hi);
  }
};

// Four vectors of integers, clamped already, and a zero point: bytes of the signedness that qmax tells.
struct PackBytes {
  __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  __m256i zero_point;
  bool is_unsigned;

  PackBytes(int32_t zp, int32_t qmax)
      : zero_point(_mm256_set1_epi16(static_cast<int16_t>(zp))), is_unsigned(qmax > 127) {}

  inline __m256i operator()(__m256i a, __m256i b, __m256i c, __m256i d) const {
    const __m256i w0 = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero_point);
    const __m256i w1 = _mm256_adds_epi16(_mm256_packs_epi32(c, d), zero_point);
    return _mm256_permutevar8x32_epi32(is_unsigned ? _mm256_packus_epi16(w0, w1) : _mm256_packs_epi16(w0, w1), order);
  }
};

// The first rows of a packed vector.
template <int V>
__attribute__((always_inline)) inline void store_rows(uint8_t* c, size_t stride, size_t rows, size_t n, __m256i bytes) {
  const __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
  store_columns<V>(c, low, n);
  if (rows > 1) store_columns<V>(c + stride, V == 2 ? high : _mm_unpackhi_epi64(low, low), n);
  if (rows > 2) store_columns<V>(c + 2 * stride, high, n);
  if (rows > 3) store_columns<V>(c + 3 * stride, _mm_unpackhi_epi64(high, high), n);
}

// Bytes of whole rows, the usual case, from registers.
template <int R, int V>
__attribute__((always_inline)) inline void store_whole(const QGemmTile& t, const __m256i (&acc)[R][V]) {
  constexpr int kGroup = 4 / V;
  const Scale<V> scale(t);
  const PackBytes pack(t.epilogue.requantize.zero_point,
                       static_cast<int32_t>(t.epilogue.requantize.hi) + t.epilogue.requantize.zero_point);
  const size_t stride = t.epilogue.c_stride;
  uint8_t* c = static_cast<uint8_t*>(t.epilogue.c);
  unroll<(R + kGroup - 1) / kGroup>([&](auto group) __attribute__((always_inline)) {
    constexpr int first = group * kGroup, rows = R - first < kGroup ? R - first : kGroup;
    const auto at = [&](auto i) __attribute__((always_inline)) {
      constexpr int r = first + (i / V < rows ? i / V : 0);
      return _mm256_cvtps_epi32(scale(acc[r][i % V], i % V));
    };
    store_rows<V>(c, stride, rows, V * 8,
                  pack(at(std::integral_constant<int, 0>{}), at(std::integral_constant<int, 1>{}),
                       at(std::integral_constant<int, 2>{}), at(std::integral_constant<int, 3>{})));
    c += kGroup * stride;
  });
}

// integer(r, v): what goes to pack.
template <int V, class Integer>
__attribute__((always_inline)) inline void store_packed(const QGemmTile& t, const PackBytes& pack, Integer integer) {
  constexpr size_t kGroup = 4 / V;
  // Read once: for all that the compiler knows, a byte stored may be one of the tile's fields.
  const size_t m = t.m, n = t.n, stride = t.epilogue.c_stride;
  uint8_t* c = static_cast<uint8_t*>(t.epilogue.c);
  const auto group = [&](size_t r, size_t rows) __attribute__((always_inline)) {
    const auto at = [&](size_t i)
                        __attribute__((always_inline)) { return integer(r + (i / V < rows ? i / V : 0), i % V); };
    store_rows<V>(c + r * stride, stride, rows, n, pack(at(0), at(1), at(2), at(3)));
  };
  size_t r = 0;
  for (; m - r >= kGroup; r += kGroup) group(r, kGroup);
  if (m > r) group(r, m - r);
}

template <int V>
inline void store_bytes(const QGemmTile& t, const __m256i* sums) {
  const Scale<V> scale(t);
  if (!t.epilogue.residual) {
    const PackBytes pack(t.epilogue.requantize.zero_point,
                         static_cast<int32_t>(t.epilogue.requantize.hi) + t.epilogue.requantize.zero_point);
    store_packed<V>(t, pack, [&](size_t r, size_t v) __attribute__((always_inline)) {
      return _mm256_cvtps_epi32(scale(sums[r * V + v], v));
    });
    return;
  }
  const ResidualAdd p = t.epilogue.add;
  const uint8_t* residual = t.epilogue.residual;
  const size_t stride = t.epilogue.c_stride;
  const __m256 ra = _mm256_set1_ps(p.ra), rb = _mm256_set1_ps(p.rb), odd = _mm256_set1_ps(p.odd);
  const __m256 sum_lo = _mm256_set1_ps(p.lo), sum_hi = _mm256_set1_ps(p.hi);
  // Signed bytes come as unsigned ones, 128 more.
  const __m128i flip = _mm_set1_epi8(p.is_signed ? -128 : 0);
  const __m256i zb = _mm256_set1_epi32(p.zb + (p.is_signed ? 128 : 0));
  store_packed<V>(t, PackBytes(p.even, static_cast<int32_t>(p.hi) + p.even),
                  [&](size_t r, size_t v) __attribute__((always_inline)) {
                    const __m256 a =
                        _mm256_round_ps(scale(sums[r * V + v], v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
                    const __m128i bytes = _mm_xor_si128(
                        _mm_loadl_epi64(reinterpret_cast<const __m128i*>(residual + r * stride + v * 8)), flip);
                    const __m256 b = _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_cvtepu8_epi32(bytes), zb));
                    const __m256 sum = _mm256_add_ps(_mm256_add_ps(_mm256_mul_ps(ra, a), _mm256_mul_ps(rb, b)), odd);
                    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(sum, sum_lo), sum_hi));
                  });
}

// sums: [m][V].
template <int V>
__attribute__((noinline)) void store_sums(const QGemmTile& t, const __m256i* sums) {
  if (t.epilogue.store == QGemmStore::kInt32) store_int32<V>(t, sums);
  else store_bytes<V>(t, sums);
}

template <int R, int V>
__attribute__((always_inline)) inline void store_tile(const QGemmTile& t, const __m256i (&acc)[R][V]) {
  if (t.epilogue.store == QGemmStore::kBytes && !t.epilogue.residual && t.n >= V * 8) return store_whole<R, V>(t, acc);
  __m256i sums[R * V];
  unroll<R * V>([&](auto i) __attribute__((always_inline)) { sums[i] = acc[i / V][i % V]; });
  store_sums<V>(t, sums);
}

// A residual is read when the sums are done: by then it has come from beyond the second level.
template <int R>
__attribute__((always_inline)) inline void prefetch_residual(const QGemmTile& t) {
  if (t.epilogue.residual)
    unroll<R>([&](auto r) __attribute__((always_inline)) {
      _mm_prefetch(t.epilogue.residual + static_cast<size_t>(r) * t.epilogue.c_stride, _MM_HINT_T0);
    });
}

}  // namespace
}  // namespace octavo
