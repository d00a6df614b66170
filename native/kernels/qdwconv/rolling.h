// The loops of the vector kernels. Square windows of 3 and 5 roll along the row: a column is loaded once, its rows are
// brought into the order that the multiplication wants once, and added to every pixel that it is a tap of. All other
// windows take one pixel at a time from a list of taps.
//
// A kernel K works on K::kChannels channels:
//   K(tile, channel, sums)      bias and multipliers; sums are 128 * the sum of the weights of each channel
//   start() -> Acc              the bias
//   load<R>(taps, offset) -> Group  R <= K::kUnit of them
//   add<R>(Acc*, Group, w)      times their weights
//   store(Acc, out, n)          n channels
//   position(channel, tap)      of a weight among the K::kGroupWeights of a group
#pragma once

#include <cstring>
#include <type_traits>

#include "kernels/qdwconv/qdwconv.h"
#include "simd/unroll.h"

#define OCTAVO_INLINE inline __attribute__((always_inline))

namespace octavo {
namespace {

template <class T>
constexpr T fewer(T a, T b) {
  return a < b ? a : b;
}

// Calls f(size, stride) with the constants of a window that rolls.
template <class F>
void with_constants(const QDwWindow& w, F&& f) {
  constexpr std::integral_constant<int, 1> one;
  constexpr std::integral_constant<int, 2> two;
  constexpr std::integral_constant<int, 3> three;
  constexpr std::integral_constant<int, 5> five;
  if (w.width == 3) return w.stride == 1 ? f(three, one) : f(three, two);
  return w.stride == 1 ? f(five, one) : f(five, two);
}

inline size_t groups_of(const QDwWindow& w, size_t unit) {
  return w.rolls() ? (w.height + unit - 1) / unit * w.width : (w.taps() + unit - 1) / unit;
}

template <class K>
size_t channels_of(const QDwTile& t, size_t c) {
  return t.channels - c < K::kChannels ? t.channels - c : K::kChannels;
}

// kSize x kSize taps, kStride columns from a pixel to the next.
template <class K, int kSize, int kStride>
struct Rolling {
  using Acc = typename K::Acc;
  using Weight = typename K::Weight;
  static constexpr int kGroups = (kSize + K::kUnit - 1) / K::kUnit;  // of a column
  static constexpr int kOpen = (kSize + kStride - 1) / kStride;      // pixels that a column belongs to, at most

  template <int kColumn, int kGroup, int kPixel>
  static OCTAVO_INLINE void add_to_pixels(Acc* acc, const typename K::Group& group, const Weight* w) {
    if constexpr (kPixel < kOpen && kColumn - kPixel * kStride >= 0) {
      constexpr int kAt = (kColumn - kPixel * kStride) * kGroups + kGroup;
      K::template add<fewer(K::kUnit, kSize - kGroup * K::kUnit)>(&acc[kPixel], group, w + kAt * K::kGroupWeights);
      add_to_pixels<kColumn, kGroup, kPixel + 1>(acc, group, w);
    }
  }

  // kInside: column x is one of the rows'.
  template <bool kInside, int kColumn, int kGroup>
  static OCTAVO_INLINE void add_groups(Acc* acc, const QDwTile& t, const uint8_t* const* rows,
                                       const uint8_t* const* zeros, size_t x, const Weight* w) {
    if constexpr (kGroup < kGroups) {
      constexpr int kRows = fewer(K::kUnit, kSize - kGroup * K::kUnit);
      const auto group = kInside || x < t.columns ? K::template load<kRows>(rows + kGroup * K::kUnit, x * t.channels)
                                                  : K::template load<kRows>(zeros, 0);
      add_to_pixels<kColumn, kGroup, 0>(acc, group, w);
      add_groups<kInside, kColumn, kGroup + 1>(acc, t, rows, zeros, x, w);
    }
  }

  // Columns kColumn to kLast - 1 of the window of pixel acc[0]; those left of the image have a huge x.
  template <bool kInside, int kColumn, int kLast>
  static OCTAVO_INLINE void add_columns(Acc* acc, const QDwTile& t, const uint8_t* const* rows,
                                        const uint8_t* const* zeros, size_t x, const Weight* w) {
    if constexpr (kColumn < kLast) {
      add_groups<kInside, kColumn, 0>(acc, t, rows, zeros, x, w);
      add_columns<kInside, kColumn + 1, kLast>(acc, t, rows, zeros, x + 1, w);
    }
  }

  // The columns that pixel acc[0] is the first to need; then it is done.
  template <bool kInside>
  static OCTAVO_INLINE void finish_pixel(const K& kernel, Acc* acc, const QDwTile& t, const uint8_t* const* rows,
                                         const uint8_t* const* zeros, size_t x, const Weight* w, uint8_t* out,
                                         size_t n) {
    add_columns<kInside, kSize - kStride, kSize>(acc, t, rows, zeros, x, w);
    kernel.store(acc[0], t, out, n);
    // Not a loop: clang makes a call of memmove of it, and the sums lie in memory then.
    unroll<kOpen - 1>([&](auto i) __attribute__((always_inline)) { acc[i] = acc[i + 1]; });
    acc[kOpen - 1] = kernel.start();
  }

  // kUsual: bytes, of small multipliers. Their stores need no more registers than there are.
  template <bool kUsual>
  static void run(const QDwTile& tile, size_t c, const int32_t* sums, const Weight* w) {
    QDwTile t = tile;  // bytes written through `out` cannot change it
    if (kUsual) t.to_int32 = false, t.requantize.fits_int32 = true;
    const K kernel(t, c, sums);
    const size_t n = channels_of<K>(t, c);
    const uint8_t *rows[kSize], *zeros[K::kUnit];
    for (int y = 0; y < kSize; ++y) rows[y] = t.rows[y] + c;
    for (int y = 0; y < K::kUnit; ++y) zeros[y] = t.zeros + c;
    uint8_t* out = static_cast<uint8_t*>(t.c) + c * (t.to_int32 ? sizeof(int32_t) : 1);
    Acc acc[kOpen];
#pragma GCC unroll 5
    for (int i = 0; i < kOpen; ++i) acc[i] = kernel.start();
    size_t x = static_cast<size_t>(t.first);
    add_columns<false, 0, kSize - kStride>(acc, t, rows, zeros, x, w);
    x += kSize - kStride;
    for (size_t p = 0; p < t.pixels;) {
      finish_pixel<false>(kernel, acc, t, rows, zeros, x, w, out, n);
      ++p, x += kStride, out += t.c_stride;
      // Most pixels see nothing outside: no branch between their products.
      size_t inside = x < t.columns ? fewer(t.pixels - p, (t.columns - x) / kStride) : 0;
      p += inside;
      for (; inside > 0; --inside, x += kStride, out += t.c_stride) {
        asm("" : "+r"(w));  // weights as operands in memory, not copies of them on the stack
        finish_pixel<true>(kernel, acc, t, rows, zeros, x, w, out, n);
      }
    }
  }
};

// Any window: groups of K::kUnit taps of a list.
template <class K>
void run_listed(const QDwTile& t, size_t c, const int32_t* sums, const typename K::Weight* w, size_t pixel,
                size_t count) {
  const K kernel(t, c, sums);
  const size_t n = channels_of<K>(t, c), groups = groups_of(t.window, K::kUnit);
  uint8_t* out = static_cast<uint8_t*>(t.c) + pixel * t.c_stride + c * (t.to_int32 ? sizeof(int32_t) : 1);
  const uint8_t* const* list = t.list;
  for (size_t p = 0; p < count; ++p, out += t.c_stride) {
    typename K::Acc acc = kernel.start();
    const typename K::Weight* at = w;
    for (size_t g = 0; g < groups; ++g, list += K::kUnit, at += K::kGroupWeights) {
      K::template add<K::kUnit>(&acc, K::template load<K::kUnit>(list, c), at);
    }
    kernel.store(acc, t, out, n);
  }
}

template <int kUnit>
void list_taps(const QDwTile& t, size_t pixel, size_t count) {
  const uint8_t** list = t.list;
  for (size_t p = pixel; p < pixel + count; ++p) {
    size_t taps = 0;
    for (size_t y = 0; y < t.window.height; ++y)
      for (size_t x = 0; x < t.window.width; ++x, ++taps) {
        const size_t at =
            static_cast<size_t>(t.first) + p * t.window.stride + x * t.window.dilation;  // negative is far outside
        *list++ = at < t.columns ? t.rows[y] + at * t.channels : t.zeros;
      }
    for (; taps % kUnit != 0; ++taps) *list++ = t.zeros;  // their weights are zero
  }
}

// Calls f(K(), c) for blocks of channels: of the first K while all of its channels are there, then of the next; the
// last takes what remains.
template <class K, class... More, class F>
OCTAVO_INLINE void for_each_block(size_t channels, size_t c, F&& f) {
  for (; sizeof...(More) == 0 ? c < channels : channels - c >= K::kChannels; c += K::kChannels)
    f(static_cast<const K*>(nullptr), c);
  if constexpr (sizeof...(More) > 0) for_each_block<More...>(channels, c, f);
}

inline size_t padded_channels(size_t n) { return (n + kQDwChannels - 1) / kQDwChannels * kQDwChannels; }

template <int kSize, int kStride, class... Ks>
void run_rolling(const QDwTile& t) {
  const auto* sums = static_cast<const int32_t*>(t.weights);
  const void* w = sums + padded_channels(t.channels);
  for_each_block<Ks...>(t.channels, 0, [&](auto* k, size_t c) {
    using K = std::remove_const_t<std::remove_pointer_t<decltype(k)>>;
    const auto* weights = static_cast<const typename K::Weight*>(w);
    const bool usual = !t.to_int32 && t.requantize.fits_int32;
    (usual ? Rolling<K, kSize, kStride>::template run<true>
           : Rolling<K, kSize, kStride>::template run<false>)(t, c, sums, weights);
    w = weights + groups_of(t.window, K::kUnit) * K::kGroupWeights;
  });
}

// All Ks have one kUnit.
template <class First, class... Ks>
void run_windows(const QDwTile& t) {
  const auto* sums = static_cast<const int32_t*>(t.weights);
  for (size_t pixel = 0; pixel < t.pixels; pixel += kQDwListed) {
    const size_t count = t.pixels - pixel < kQDwListed ? t.pixels - pixel : kQDwListed;
    list_taps<First::kUnit>(t, pixel, count);
    const void* w = sums + padded_channels(t.channels);
    for_each_block<First, Ks...>(t.channels, 0, [&](auto* k, size_t c) {
      using K = std::remove_const_t<std::remove_pointer_t<decltype(k)>>;
      const auto* weights = static_cast<const typename K::Weight*>(w);
      run_listed<K>(t, c, sums, weights, pixel, count);
      w = weights + groups_of(t.window, K::kUnit) * K::kGroupWeights;
    });
  }
}

template <class First, class... Ks>
void run_qdwconv(const QDwTile& t) {
  if (!t.window.rolls()) return run_windows<First, Ks...>(t);
  with_constants(t.window, [&](auto size, auto stride) { run_rolling<size, stride, First, Ks...>(t); });
}

// [padded]: 128 * the sum of the weights of each channel. Returns the first byte after it.
inline void* sum_weights(const QDwWindow& window, const int16_t* weights, size_t channels, void* out) {
  auto* sums = static_cast<int32_t*>(out);
  const size_t padded = padded_channels(channels);
  std::memset(sums, 0, padded * sizeof(int32_t));
  for (size_t tap = 0; tap < window.taps(); ++tap)
    for (size_t c = 0; c < channels; ++c)
      sums[c] = static_cast<int32_t>(static_cast<uint32_t>(sums[c]) +
                                     static_cast<uint32_t>(weights[tap * channels + c] * 128));
  return sums + padded;
}

// These sums, then the blocks of channels, each [groups][K::kGroupWeights].
template <class... Ks>
void pack_qdwconv(const QDwWindow& window, const int16_t* weights, size_t channels, void* out) {
  void* at = sum_weights(window, weights, channels, out);
  for_each_block<Ks...>(channels, 0, [&](auto* k, size_t c) {
    using K = std::remove_const_t<std::remove_pointer_t<decltype(k)>>;
    auto* w = static_cast<typename K::Weight*>(at);
    const size_t unit = K::kUnit, column_groups = (window.height + unit - 1) / unit;
    for (size_t g = 0; g < groups_of(window, unit); ++g, w += K::kGroupWeights)
      for (size_t u = 0; u < unit; ++u) {
        const size_t y = g % column_groups * unit + u, x = g / column_groups;
        const bool used = window.rolls() ? y < window.height : g * unit + u < window.taps();
        const size_t tap = window.rolls() ? y * window.width + x : g * unit + u;
        for (size_t i = 0; i < K::kChannels; ++i)
          w[K::position(i, u)] =
              static_cast<typename K::Weight>(used && c + i < channels ? weights[tap * channels + c + i] : 0);
      }
    at = w;
  });
}

}  // namespace
}  // namespace octavo
