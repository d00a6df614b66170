// Counts of 32 bits by an instruction that not every CPU of this set has: without it the kernel of AVX2 runs.
#include <immintrin.h>

#include "kernels/bitgemm/bitgemm.h"
#include "kernels/bitgemm/pack_rows.h"

namespace octavo {
namespace {

constexpr size_t kRows = 8, kColumns = 32;

bool runs_here() { return __builtin_cpu_supports("avx512vpopcntdq") != 0; }

__attribute__((target("avx512vpopcntdq"))) void tile_popcnt(const BitTile& t) {
  __m512i acc[kRows][2];
  for (size_t r = 0; r < kRows; ++r) acc[r][0] = acc[r][1] = _mm512_setzero_si512();
  const uint32_t* w = t.panel;
  for (size_t tap = 0; tap < t.taps; ++tap) {
    const uint32_t* const* rows = t.rows + tap * kRows;
    const uint32_t* const* masks = t.masks ? t.masks + tap * kRows : nullptr;
    for (size_t i = 0; i < t.words; ++i, w += kColumns) {
      const __m512i w0 = _mm512_loadu_si512(w), w1 = _mm512_loadu_si512(w + 16);
      if (masks == nullptr) {
#pragma GCC unroll 8
        for (size_t r = 0; r < kRows; ++r) {
          const __m512i a = _mm512_set1_epi32(static_cast<int>(rows[r][i]));
          acc[r][0] = _mm512_add_epi32(acc[r][0], _mm512_popcnt_epi32(_mm512_xor_si512(a, w0)));
          acc[r][1] = _mm512_add_epi32(acc[r][1], _mm512_popcnt_epi32(_mm512_xor_si512(a, w1)));
        }
      } else {
        constexpr int kDiffersUnderMask = 0x28;  // (a ^ b) & c
#pragma GCC unroll 8
        for (size_t r = 0; r < kRows; ++r) {
          const __m512i a = _mm512_set1_epi32(static_cast<int>(rows[r][i])),
                        m = _mm512_set1_epi32(static_cast<int>(masks[r][i]));
          acc[r][0] =
              _mm512_add_epi32(acc[r][0], _mm512_popcnt_epi32(_mm512_ternarylogic_epi32(a, w0, m, kDiffersUnderMask)));
          acc[r][1] =
              _mm512_add_epi32(acc[r][1], _mm512_popcnt_epi32(_mm512_ternarylogic_epi32(a, w1, m, kDiffersUnderMask)));
        }
      }
    }
  }
  const __m512i bias0 = _mm512_loadu_si512(t.bias), bias1 = _mm512_loadu_si512(t.bias + 16);
  const auto put = [&](size_t r, size_t at, __m512i bias, __m512i count) {
    const __m512i most = _mm512_add_epi32(bias, _mm512_set1_epi32(t.present[r]));
    _mm512_storeu_si512(t.sums + r * kColumns + at, _mm512_sub_epi32(most, _mm512_slli_epi32(count, 1)));
  };
  for (size_t r = 0; r < kRows; ++r) put(r, 0, bias0, acc[r][0]), put(r, 16, bias1, acc[r][1]);
}

struct Avx512 {
  static SignWord signs(const uint8_t* x, uint8_t flip, uint8_t zero) {
    const __m256i z = _mm256_set1_epi8(static_cast<char>(zero));
    const __m256i v = _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)),
                                       _mm256_set1_epi8(static_cast<char>(flip)));
    return {_mm256_cmpgt_epu8_mask(v, z), _mm256_cmpneq_epu8_mask(v, z)};
  }
};

}  // namespace

extern const BitKernel bitgemm_popcnt_x86_avx512vnni;
const BitKernel bitgemm_popcnt_x86_avx512vnni = {Isa::x86_avx512vnni,
                                                 "bitgemm_popcnt_8x32_x86_avx512vnni",
                                                 tile_popcnt,
                                                 pack_rows<Avx512>,
                                                 kRows,
                                                 kColumns,
                                                 runs_here};

}  // namespace octavo
