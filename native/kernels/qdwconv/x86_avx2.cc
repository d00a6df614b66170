// AVX2: the bytes of two taps are interleaved, widened to 16 bits and multiplied in pairs; channels stay in order.
// Takes weights of any zero point; pmaddubsw would saturate.
#include <immintrin.h>

#include "kernels/qdwconv/rolling.h"

namespace octavo {
namespace {

inline __m128i load8(const uint8_t* p) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)); }
inline __m128i load16(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline __m256i load32(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

template <bool kSigned>
class Pairs {
 public:
  using Weight = int16_t;
  static constexpr int kUnit = 2;
  static constexpr size_t kChannels = 16, kGroupWeights = 32;
  struct Acc {
    __m256i v[2];
  };
  using Group = Acc;

  static size_t position(size_t channel, size_t tap) { return channel * 2 + tap; }

  OCTAVO_INLINE Pairs(const QDwTile& t, size_t c, const int32_t*)
      : bias_{{load32(t.bias + c), load32(t.bias + c + 8)}},
        hi_(_mm256_set1_ps(t.requantize.hi)),
        lowest_(_mm_set1_epi16(static_cast<int16_t>(t.requantize.lo))),
        offset_(_mm_set1_epi8(static_cast<char>(static_cast<int32_t>(t.requantize.lo) + t.requantize.zero_point))) {
    if (t.to_int32) return;
    multiplier_[0] = _mm256_loadu_ps(t.multiplier + c);
    multiplier_[1] = _mm256_loadu_ps(t.multiplier + c + 8);
  }

  OCTAVO_INLINE Acc start() const { return bias_; }

  template <int R>
  static OCTAVO_INLINE Group load(const uint8_t* const* p, size_t offset) {
    if constexpr (R == 1) {  // the other tap has weights of zero: the bits of a sign may stand there
      return {{widen_one(load8(p[0] + offset)), widen_one(load8(p[0] + offset + 8))}};
    } else {
      const __m128i x = load16(p[0] + offset), y = load16(p[1] + offset);
      return {{widen(_mm_unpacklo_epi8(x, y)), widen(_mm_unpackhi_epi8(x, y))}};
    }
  }

  template <int R>
  static OCTAVO_INLINE void add(Acc* acc, const Group& group, const Weight* w) {
    acc->v[0] = _mm256_add_epi32(acc->v[0], _mm256_madd_epi16(group.v[0], load32(w)));
    acc->v[1] = _mm256_add_epi32(acc->v[1], _mm256_madd_epi16(group.v[1], load32(w + 16)));
  }

  OCTAVO_INLINE void store(const Acc& acc, const QDwTile& t, uint8_t* out, size_t n) const {
    if (t.to_int32) {
      int32_t words[kChannels];
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(words), acc.v[0]);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + 8), acc.v[1]);
      std::memcpy(out, words, n * sizeof(int32_t));
      return;
    }
    // Relative to the lowest output, so that packing to unsigned bytes is the lower bound. What is far below any int32
    // becomes the least one.
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(scaled(acc.v[0], 0), scaled(acc.v[1], 1)), 0xD8);
    const __m128i first = _mm_subs_epi16(_mm256_castsi256_si128(words), lowest_);
    const __m128i second = _mm_subs_epi16(_mm256_extracti128_si256(words, 1), lowest_);
    const __m128i bytes = _mm_add_epi8(_mm_packus_epi16(first, second), offset_);
    if (n == kChannels) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
      return;
    }
    uint8_t edge[kChannels];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(edge), bytes);
    std::memcpy(out, edge, n);
  }

 private:
  static OCTAVO_INLINE __m256i widen(__m128i bytes) {
    return kSigned ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
  }
  static OCTAVO_INLINE __m256i widen_one(__m128i bytes) {
    return kSigned ? _mm256_cvtepi8_epi32(bytes) : _mm256_cvtepu8_epi32(bytes);
  }
  OCTAVO_INLINE __m256i scaled(__m256i acc, int i) const {
    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), multiplier_[i]), hi_));
  }

  Acc bias_;
  __m256 multiplier_[2];
  __m256 hi_;
  __m128i lowest_, offset_;
};

}  // namespace

void qdwconv_16c_x86_avx2_pack(const QDwWindow& window, const int16_t* weights, size_t channels, void* out) {
  pack_qdwconv<Pairs<true>>(window, weights, channels, out);
}
void qdwconv_16c_x86_avx2_s8(const QDwTile& t) { run_qdwconv<Pairs<true>>(t); }
void qdwconv_16c_x86_avx2_u8(const QDwTile& t) { run_qdwconv<Pairs<false>>(t); }

}  // namespace octavo
