#include <immintrin.h>

#include "kernels/qunpack/qunpack.h"

namespace octavo {
namespace {

inline __m256i load(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }

// kBits of every byte of v, from bit kShift on.
template <int kBits, int kShift>
inline __m256i field(__m256i v) {
  return _mm256_and_si256(_mm256_srli_epi16(v, kShift), _mm256_set1_epi8((1 << kBits) - 1));
}

struct Zeros {
  __m256i part[4];
  explicit Zeros(const uint8_t* zeros) : part{load(zeros), load(zeros + 32), load(zeros + 64), load(zeros + 96)} {}
};

inline void put(int8_t* out, __m256i levels, __m256i zeros) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_sub_epi8(levels, zeros));
}

void fours(const uint8_t* stored, const uint8_t* zeros, size_t blocks, int8_t* out) {
  const Zeros z(zeros);
  for (; blocks > 0; --blocks, stored += 64, out += kQUnpackBlock) {
    const __m256i a = load(stored), b = load(stored + 32);
    put(out, field<4, 0>(a), z.part[0]);
    put(out + 32, field<4, 0>(b), z.part[1]);
    put(out + 64, field<4, 4>(a), z.part[2]);
    put(out + 96, field<4, 4>(b), z.part[3]);
  }
}

void twos(const uint8_t* stored, const uint8_t* zeros, size_t blocks, int8_t* out) {
  const Zeros z(zeros);
  for (; blocks > 0; --blocks, stored += 32, out += kQUnpackBlock) {
    const __m256i v = load(stored);
    put(out, field<2, 0>(v), z.part[0]);
    put(out + 32, field<2, 2>(v), z.part[1]);
    put(out + 64, field<2, 4>(v), z.part[2]);
    put(out + 96, field<2, 6>(v), z.part[3]);
  }
}

// A bit of every byte, as 0 and 2, of two shares of 16 panel bytes at a time.
void signs(const uint8_t* stored, const uint8_t* zeros, size_t blocks, int8_t* out) {
  const Zeros z(zeros);
  const __m256i by = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1), one = _mm256_set1_epi8(1);
  for (; blocks > 0; --blocks, stored += 16, out += kQUnpackBlock) {
    __m256i v = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(stored)));
    v = _mm256_srlv_epi32(v, by);
    for (int part = 0; part < 4; ++part, v = _mm256_srli_epi32(v, 2)) {
      const __m256i bit = _mm256_and_si256(v, one);
      put(out + part * 32, _mm256_add_epi8(bit, bit), z.part[part]);
    }
  }
}

}  // namespace

extern const QUnpackKernels qunpack_x86_avx2;
const QUnpackKernels qunpack_x86_avx2 = {Isa::x86_avx2, fours, twos, signs};

}  // namespace octavo
