// Transposition of a matrix by square tiles held in 16-byte vectors. The vectors are those of the compiler's own
// extension: every target has 16-byte shuffles (SSE2, NEON), so this needs no code per ISA.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/q8/q8.h"

namespace octavo::ops {
namespace {

// dst[q][p] = src[p][q] for p < rows, q < columns; strides in elements of T.
template <class T>
void transpose_scalar(const uint8_t* src, int64_t src_stride, uint8_t* dst, int64_t dst_stride, int64_t rows,
                      int64_t columns) {
  constexpr int64_t w = sizeof(T);
  for (int64_t q = 0; q < columns; ++q) {
    for (int64_t p = 0; p < rows; ++p) {
      T value;
      std::memcpy(&value, src + (p * src_stride + q) * w, sizeof(T));
      std::memcpy(dst + (q * dst_stride + p) * w, &value, sizeof(T));
    }
  }
}

#if defined(__GNUC__)

typedef uint8_t Vec8 __attribute__((vector_size(16)));
typedef uint16_t Vec16 __attribute__((vector_size(16)));
typedef uint32_t Vec32 __attribute__((vector_size(16)));
typedef uint64_t Vec64 __attribute__((vector_size(16)));

inline Vec8 low(Vec8 a, Vec8 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
inline Vec8 high(Vec8 a, Vec8 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
inline Vec16 low(Vec16 a, Vec16 b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
inline Vec16 high(Vec16 a, Vec16 b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
inline Vec32 low(Vec32 a, Vec32 b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
inline Vec32 high(Vec32 a, Vec32 b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
inline Vec64 low(Vec64 a, Vec64 b) { return __builtin_shufflevector(a, b, 0, 2); }
inline Vec64 high(Vec64 a, Vec64 b) { return __builtin_shufflevector(a, b, 1, 3); }

template <class T>
struct VectorOf {};
template <>
struct VectorOf<uint8_t> {
  using type = Vec8;
};
template <>
struct VectorOf<uint16_t> {
  using type = Vec16;
};
template <>
struct VectorOf<uint32_t> {
  using type = Vec32;
};
template <>
struct VectorOf<uint64_t> {
  using type = Vec64;
};

// N rows of N elements. log2(N) rounds of the perfect shuffle: interleaving row i with row i + N/2.
template <class T>
void transpose_square(const uint8_t* src, int64_t src_stride, uint8_t* dst, int64_t dst_stride) {
  using V = typename VectorOf<T>::type;
  constexpr int N = 16 / sizeof(T);
  V a[N], b[N];
  for (int i = 0; i < N; ++i) std::memcpy(&a[i], src + i * src_stride * static_cast<int64_t>(sizeof(T)), 16);
  for (int step = N; step > 1; step /= 2) {
    for (int i = 0; i < N / 2; ++i) {
      b[2 * i] = low(a[i], a[i + N / 2]);
      b[2 * i + 1] = high(a[i], a[i + N / 2]);
    }
    for (int i = 0; i < N; ++i) a[i] = b[i];
  }
  for (int i = 0; i < N; ++i) std::memcpy(dst + i * dst_stride * static_cast<int64_t>(sizeof(T)), &a[i], 16);
}

#endif

// dst[q][p] = src[p][q] for p < rows, q < columns; strides in elements of T. Walks the target in bands of one cache
// line.
template <class T>
void transpose_tiles(const uint8_t* src, int64_t src_stride, uint8_t* dst, int64_t dst_stride, int64_t rows,
                     int64_t columns) {
  constexpr int64_t w = sizeof(T);
  if (w == 1 && rows == 3 && dst_stride == 3 && columns > 0)
    return q8_kernels().interleave3(src, src + src_stride, src + 2 * src_stride, dst, columns);
#if defined(__GNUC__)
  if constexpr (sizeof(T) <= 8) {
    constexpr int64_t N = 16 / w, kBand = 64 / w;
    const int64_t whole_rows = rows - rows % N, whole_columns = columns - columns % N;
    for (int64_t band = 0; band < whole_rows; band += kBand) {
      const int64_t end = std::min(band + kBand, whole_rows);
      for (int64_t q = 0; q < whole_columns; q += N)
        for (int64_t p = band; p < end; p += N)
          transpose_square<T>(src + (p * src_stride + q) * w, src_stride, dst + (q * dst_stride + p) * w, dst_stride);
    }
    transpose_scalar<T>(src + whole_rows * src_stride * w, src_stride, dst + whole_rows * w, dst_stride,
                        rows - whole_rows, columns);
    transpose_scalar<T>(src + whole_columns * w, src_stride, dst + whole_columns * dst_stride * w, dst_stride,
                        whole_rows, columns - whole_columns);
    return;
  }
#endif
  constexpr int64_t kBand = std::max<int64_t>(1, 64 / w);
  for (int64_t p = 0; p < rows; p += kBand)
    transpose_scalar<T>(src + p * src_stride * w, src_stride, dst + p * w, dst_stride, std::min(kBand, rows - p),
                        columns);
}

}  // namespace
}  // namespace octavo::ops
