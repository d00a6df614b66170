#include "kernels/qgemm/pack.h"

#include <algorithm>
#include <cstring>

namespace octavo {

bool make_qgemm_layout(const QGemmKernel& kernel, size_t taps, size_t k, size_t n, QGemmLayout* layout) {
  const size_t nr = static_cast<size_t>(kernel.nr), kr = static_cast<size_t>(kernel.kr);
  if (k > SIZE_MAX - kr || n > SIZE_MAX - nr) return false;
  *layout = {taps, k, n, nr, kr, (n + nr - 1) / nr, 0};
  size_t bytes = 0;
  if (__builtin_mul_overflow((k + kr - 1) / kr * kr, nr, &bytes)) return false;
  if (__builtin_mul_overflow(bytes, taps, &layout->panel_bytes)) return false;
  return !__builtin_mul_overflow(layout->panel_bytes, layout->panels, &bytes) && bytes <= PTRDIFF_MAX &&
         !__builtin_mul_overflow(layout->panels, nr * sizeof(int32_t), &bytes);
}

namespace {

// Columns lie side by side in the source: a row of it at a time.
void pack_k_outer(const QGemmLayout& l, const QGemmSource& s, size_t first, size_t count, int8_t* out, int32_t* sums) {
  for (size_t tap = 0; tap < l.taps; ++tap)
    for (size_t k0 = 0; k0 < l.k; k0 += l.kr, out += l.nr * l.kr) {
      const size_t depth = std::min(l.kr, l.k - k0);
      if (count < l.nr || depth < l.kr) std::memset(out, 0, l.nr * l.kr);
      for (size_t i = 0; i < depth; ++i) {
        const uint8_t* row = s.data + tap * s.tap_stride + (k0 + i) * s.k_stride + first;
        for (size_t c = 0; c < count; ++c) {
          const int8_t v = static_cast<int8_t>(row[c] ^ s.flip);
          out[c * l.kr + i] = v;
          sums[c] = static_cast<int32_t>(static_cast<uint32_t>(sums[c]) + static_cast<uint32_t>(v));
        }
      }
    }
}

void pack_column_outer(const QGemmLayout& l, const QGemmSource& s, size_t first, size_t count, int8_t* out,
                       int32_t* sums) {
  const size_t group = l.nr * l.kr;
  const size_t groups = (l.k + l.kr - 1) / l.kr;
  // Without depth there is nothing to write, and nowhere: memset does not take a null pointer.
  if (l.panel_bytes > 0 && (count < l.nr || l.k % l.kr != 0)) std::memset(out, 0, l.panel_bytes);
  for (size_t c = 0; c < count; ++c) {
    uint32_t sum = 0;
    for (size_t tap = 0; tap < l.taps; ++tap) {
      const uint8_t* column = s.data + (first + c) * s.n_stride + tap * s.tap_stride;
      int8_t* to = out + tap * groups * group + c * l.kr;
      for (size_t k0 = 0; k0 < l.k; k0 += l.kr, to += group) {
        const size_t depth = std::min(l.kr, l.k - k0);
        for (size_t i = 0; i < depth; ++i) {
          const int8_t v = static_cast<int8_t>(column[(k0 + i) * s.k_stride] ^ s.flip);
          to[i] = v;
          sum += static_cast<uint32_t>(v);
        }
      }
    }
    sums[c] = static_cast<int32_t>(sum);
  }
}

// Columns of consecutive bytes, whole words of kr of them: the words of one piece of all columns stay in the first cache.
template <class Word>
void pack_words(const QGemmLayout& l, const QGemmSource& s, size_t first, size_t count, int8_t* out, int32_t* sums) {
  constexpr size_t kPiece = 256;
  Word flip;
  std::memset(&flip, s.flip, sizeof flip);
  if (l.panel_bytes > 0 && count < l.nr) std::memset(out, 0, l.panel_bytes);
  const size_t group = l.nr * l.kr;
  for (size_t tap = 0; tap < l.taps; ++tap)
    for (size_t k0 = 0; k0 < l.k; k0 += kPiece) {
      const size_t bytes = std::min(kPiece, l.k - k0);
      for (size_t c = 0; c < count; ++c) {
        const uint8_t* from = s.data + (first + c) * s.n_stride + tap * s.tap_stride + k0;
        int8_t* to = out + (tap * l.k + k0) * l.nr + c * l.kr;
        int32_t sum = 0;
        for (size_t i = 0; i < bytes; ++i) sum += static_cast<int8_t>(from[i] ^ s.flip);
        sums[c] = static_cast<int32_t>(static_cast<uint32_t>(sums[c]) + static_cast<uint32_t>(sum));
        for (size_t i = 0; i < bytes; i += sizeof(Word), to += group) {
          Word word;
          std::memcpy(&word, from + i, sizeof word);
          word = static_cast<Word>(word ^ flip);
          std::memcpy(to, &word, sizeof word);
        }
      }
    }
}

}  // namespace

void qgemm_pack(const QGemmLayout& l, const QGemmSource& s, size_t first, size_t last, int8_t* packed, int32_t* sums) {
  for (size_t p = first; p < last; ++p) {
    const size_t column = p * l.nr;
    const size_t count = std::min(l.nr, l.n - column);
    int8_t* out = packed + p * l.panel_bytes;
    std::fill_n(sums + column, l.nr, 0);
    const auto pack = s.n_stride == 1 && s.k_stride != 1 ? pack_k_outer
                      : s.k_stride != 1 || l.k % l.kr != 0 ? pack_column_outer
                      : l.kr == 2                          ? pack_words<uint16_t>
                      : l.kr == 4                          ? pack_words<uint32_t>
                      : l.kr == 8                          ? pack_words<uint64_t>
                                                           : pack_column_outer;
    pack(l, s, column, count, out, sums + column);
  }
}

}  // namespace octavo
