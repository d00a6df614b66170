// Square windows of 3 and 5 with SDOT, 8 channels at a time. Four rows of a column, byte by byte in one register, meet
// the weights of four rows. At steps of 1 two rows of outputs share them: the weights of the second lie one row lower,
// and of the four that a window of 3 takes none is empty. Bringing bytes into order is a third of the work of one row
// alone.
#pragma once

#include "kernels/qdwconv/rolling.h"
#include "kernels/requantize/neon.h"
#include "simd/unroll.h"

namespace octavo {
namespace {

constexpr size_t kDotChannels = 8;

template <int kSize, int kStride>
struct DotWeights {
  static constexpr int kVariants = kStride == 1 ? 2 : 1;  // by row of outputs
  static constexpr int kGroups = (kSize + 3) / 4;         // of rows in a column, also of the rows of two windows
  static constexpr size_t kBytes = kSize * kGroups * kVariants * kDotChannels * 4;

  static void pack(const int16_t* weights, size_t channels, size_t c, int8_t* w) {
    for (size_t x = 0; x < kSize; ++x)
      for (size_t group = 0; group < kGroups; ++group)
        for (size_t variant = 0; variant < kVariants; ++variant)
          for (size_t i = 0; i < kDotChannels * 4; ++i) {
            const size_t channel = c + i / 4, y = group * 4 + i % 4 - variant;
            *w++ = static_cast<int8_t>(y < kSize && channel < channels ? weights[(y * kSize + x) * channels + channel]
                                                                       : 0);
          }
  }
};

struct DotQuad {
  int8x16_t v[2];
};

// R rows; the places of those that are not there meet weights of zero.
template <int R, bool kSigned>
OCTAVO_INLINE DotQuad load_quad(const uint8_t* const* rows, size_t at) {
  const uint8x16_t a = vld1q_u8(rows[0] + at), b = R > 1 ? vld1q_u8(rows[R > 1 ? 1 : 0] + at) : a;
  const uint16x8_t ab = vreinterpretq_u16_u8(vzip1q_u8(a, b));
  uint16x8_t cd = ab;
  if constexpr (R > 2) {
    const uint8x16_t c = vld1q_u8(rows[2] + at), d = R > 3 ? vld1q_u8(rows[R > 3 ? 3 : 2] + at) : c;
    cd = vreinterpretq_u16_u8(vzip1q_u8(c, d));
  }
  uint8x16_t low = vreinterpretq_u8_u16(vzip1q_u16(ab, cd)), high = vreinterpretq_u8_u16(vzip2q_u16(ab, cd));
  if (!kSigned) low = veorq_u8(low, vdupq_n_u8(128)), high = veorq_u8(high, vdupq_n_u8(128));
  return {{vreinterpretq_s8_u8(low), vreinterpretq_s8_u8(high)}};
}

// Eight sums whose bounds are known to eight bytes.
class DotBytes {
 public:
  DotBytes(const QDwTile& t, size_t c) : round_(t.requantize), multiplier_(t.multiplier + c) {}
  static constexpr int32_t kStart = NeonRoundBounded::kStart;
  static constexpr bool kUsual = true;

  OCTAVO_INLINE void operator()(const int32x4_t (&acc)[2], uint8_t* out) const {
    const float32x4_t m0 = vld1q_f32(multiplier_), m1 = vld1q_f32(multiplier_ + 4);
    const uint16x8_t words = low_halves(round_.rounded<true>(acc[0], m0), round_.rounded<true>(acc[1], m1));
    vst1_u8(out, round_.plain ? round_.bytes<true>(words) : round_.bytes<false>(words));
  }

 private:
  NeonRoundBounded round_;
  const float* multiplier_;
};

// Any sums, bytes or not, of 8 channels or fewer.
class DotAny {
 public:
  DotAny(const QDwTile& t, size_t c)
      : requantize_(t.requantize),
        multiplier_(t.multiplier + c),
        n_(fewer(t.channels - c, kDotChannels)),
        to_int32_(t.to_int32) {}
  static constexpr int32_t kStart = 0;
  static constexpr bool kUsual = false;  // not worth the code of several pixels at once

  OCTAVO_INLINE void operator()(const int32x4_t (&acc)[2], uint8_t* out) const {
    if (to_int32_) {
      int32_t words[kDotChannels];
      vst1q_s32(words, acc[0]);
      vst1q_s32(words + 4, acc[1]);
      std::memcpy(out, words, n_ * sizeof(int32_t));
    } else {
      store_low_bytes(out, requantize_(acc[0], vld1q_f32(multiplier_)), requantize_(acc[1], vld1q_f32(multiplier_ + 4)),
                      n_);
    }
  }

 private:
  NeonRequantize requantize_;
  const float* multiplier_;
  size_t n_;
  bool to_int32_;
};

// kRows rows of outputs of 8 channels.
template <int kSize, int kStride, int kRows, bool kSigned>
struct DotRows {
  using Weights = DotWeights<kSize, kStride>;
  static constexpr int kIn = kSize + kRows - 1;                  // rows of the image
  static constexpr int kOpen = (kSize + kStride - 1) / kStride;  // pixels that a column belongs to, at most
  static constexpr int kRight = kSize - kStride;                 // the first column that only the newest pixels see

  // Column kColumn of the window of the oldest open pixel, whose sums are acc[kOldest].
  template <int kColumn, int kOldest>
  static OCTAVO_INLINE void add_column(int32x4_t (&acc)[kOpen][kRows][2], const uint8_t* const (&rows)[kIn], size_t at,
                                       const int8_t* w) {
    unroll<Weights::kGroups>([&](auto g) __attribute__((always_inline)) {
      constexpr int group = g;
      const DotQuad quad = load_quad<fewer(4, kIn - group * 4), kSigned>(rows + group * 4, at);
      unroll<kOpen>([&](auto i) __attribute__((always_inline)) {
        constexpr int pixel = i, column = kColumn - pixel * kStride;
        if constexpr (column >= 0)
          unroll<kRows * 2>([&](auto j) __attribute__((always_inline)) {
            int32x4_t& sums = acc[(kOldest + pixel) % kOpen][j / 2][j % 2];
            sums = vdotq_s32(
                sums, quad.v[j % 2],
                vld1q_s8(w + ((column * Weights::kGroups + group) * Weights::kVariants + j / 2) * 32 + j % 2 * 16));
          });
      });
    });
  }

  // Columns [kFirst, kLast), each of the image or of zeros; those left of the image have a huge x.
  template <int kFirst, int kLast>
  static OCTAVO_INLINE void add_checked(int32x4_t (&acc)[kOpen][kRows][2], const QDwTile& t,
                                        const uint8_t* const (&rows)[kIn], const uint8_t* zeros, size_t x,
                                        const int8_t* w) {
    unroll<kLast - kFirst>([&](auto i) __attribute__((always_inline)) {
      constexpr int column = kFirst + i;
      const size_t at = x + static_cast<size_t>(i);
      const uint8_t* from[kIn];
      unroll<kIn>([&](auto r) __attribute__((always_inline)) { from[r] = at < t.columns ? rows[r] : zeros; });
      add_column<column, 0>(acc, from, at < t.columns ? at * t.channels : 0, w);
    });
  }

  template <class Store>
  static __attribute__((noinline)) void run(const QDwTile& tile, size_t c, const int32_t* sums, const int8_t* w,
                                            const uint8_t* const* rows_in, uint8_t* out) {
    const QDwTile t = tile;  // bytes written through `out` cannot change it
    const Store store(t, c);
    alignas(16) int32_t bias[kDotChannels];
    for (size_t i = 0; i < kDotChannels; ++i)
      bias[i] = static_cast<int32_t>(static_cast<uint32_t>(t.bias[c + i]) + static_cast<uint32_t>(Store::kStart) +
                                     (kSigned ? 0 : static_cast<uint32_t>(sums[c + i])));
    const uint8_t* rows[kIn];
    unroll<kIn>([&](auto r) __attribute__((always_inline)) { rows[r] = rows_in[r] + c; });
    const uint8_t* zeros = t.zeros + c;
    out += c * (t.to_int32 ? sizeof(int32_t) : 1);

    const int32_t* from = bias;
    int32x4_t acc[kOpen][kRows][2];
    const auto start = [&](auto pixel) __attribute__((always_inline)) {
      constexpr int p = pixel;
      unroll<kRows>([&](auto r) __attribute__((always_inline)) {
        asm("" : "+r"(from));  // loaded where a copy of a register would take the place of a product
        acc[p][r][0] = vld1q_s32(from);
        acc[p][r][1] = vld1q_s32(from + 4);
      });
    };
    const auto finish = [&](auto pixel) __attribute__((always_inline)) {
      constexpr int p = pixel;
      unroll<kRows>([&](auto r) __attribute__((always_inline)) {
        store(acc[p][r], out + static_cast<size_t>(r) * t.c_row_stride);
      });
      start(pixel);
      out += t.c_stride;
    };

    unroll<kOpen>(start);
    size_t x = static_cast<size_t>(t.first);
    add_checked<0, kRight>(acc, t, rows, zeros, x, w);
    x += kRight;
    for (size_t p = 0; p < t.pixels;) {
      // As many pixels as are open: every one is the oldest in turn, and no sums are moved.
      if (Store::kUsual && t.pixels - p >= kOpen && x < t.columns && t.columns - x >= kOpen * kStride) {
        size_t at = x * t.channels;
        unroll<kOpen>([&](auto i) __attribute__((always_inline)) {
          constexpr int oldest = i;
          unroll<kStride>([&](auto s) __attribute__((always_inline)) {
            constexpr int column = kRight + s;
            add_column<column, oldest>(acc, rows, at, w);
            at += t.channels;
          });
          finish(i);
          asm("" : "+r"(w));  // weights as operands in memory, not copies of them on the stack
        });
        p += kOpen, x += kOpen * kStride;
        continue;
      }
      add_checked<kRight, kSize>(acc, t, rows, zeros, x, w);
      finish(std::integral_constant<int, 0>());
      unroll<kOpen - 1>([&](auto i) __attribute__((always_inline)) {
        unroll<kRows * 2>(
            [&](auto j) __attribute__((always_inline)) { std::swap(acc[i][j / 2][j % 2], acc[i + 1][j / 2][j % 2]); });
      });
      ++p, x += kStride;
    }
  }
};

template <int kSize, int kStride, bool kSigned>
void run_dot_rows(const QDwTile& t) {
  using Weights = DotWeights<kSize, kStride>;
  const auto* sums = static_cast<const int32_t*>(t.weights);
  const auto* w = reinterpret_cast<const int8_t*>(sums + padded_channels(t.channels));
  const bool bounded = t.requantize.exact_float && !t.to_int32;
  for (size_t c = 0; c < t.channels; c += kDotChannels, w += Weights::kBytes) {
    size_t row = 0;
    auto* out = static_cast<uint8_t*>(t.c);
    if (bounded && t.channels - c >= kDotChannels) {
      if constexpr (kStride == 1) {
        for (; row + 2 <= t.out_rows; row += 2, out += 2 * t.c_row_stride)
          DotRows<kSize, kStride, 2, kSigned>::template run<DotBytes>(t, c, sums, w, t.rows + row, out);
      }
      for (; row < t.out_rows; ++row, out += t.c_row_stride)
        DotRows<kSize, kStride, 1, kSigned>::template run<DotBytes>(t, c, sums, w, t.rows + row, out);
    }
    for (; row < t.out_rows; ++row, out += t.c_row_stride)
      DotRows<kSize, kStride, 1, kSigned>::template run<DotAny>(t, c, sums, w, t.rows + row, out);
  }
}

}  // namespace
}  // namespace octavo
