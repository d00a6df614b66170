// AVX-VNNI (VEX): Alder Lake E cores, Meteor Lake, Sierra Forest. 12 accumulators of the 16 registers.
#include "kernels/qgemm/x86_256.h"

namespace octavo {
namespace {

constexpr size_t kRows = 6;

template <int R>
void tile(const QGemmTile& t) {
  __m256i acc[R][2];
  const __m256i* bias = reinterpret_cast<const __m256i*>(t.bias);
  const __m256i bias0 = _mm256_loadu_si256(bias), bias1 = _mm256_loadu_si256(bias + 1);
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) acc[r][0] = bias0, acc[r][1] = bias1;

  const int8_t* w = t.panel;
  for (size_t tap = 0; tap < t.taps; ++tap) {
    const uint8_t* a[R];
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) a[r] = t.rows[tap * kRows + static_cast<size_t>(r)];
    for (size_t k = 0; k < t.k; k += 4, w += 64) {
      const __m256i w0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
      const __m256i w1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + 32));
#pragma GCC unroll 6
      for (int r = 0; r < R; ++r) {
        const __m256i av = _mm256_set1_epi32(load4(a[r] + k));
        acc[r][0] = _mm256_dpbusd_avx_epi32(acc[r][0], av, w0);
        acc[r][1] = _mm256_dpbusd_avx_epi32(acc[r][1], av, w1);
      }
    }
  }

  const Epilogue256 epilogue(t);
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
    if (static_cast<size_t>(r) >= t.m) break;
    epilogue.store(t, static_cast<size_t>(r), acc[r][0], acc[r][1]);
  }
}

}  // namespace

void qgemm_u8s8_6x16c4_x86_avxvnni(const QGemmTile& t) {
  if (t.m > 4) return tile<6>(t);
  if (t.m > 2) return tile<4>(t);
  if (t.m > 1) return tile<2>(t);
  return tile<1>(t);
}

}  // namespace octavo
