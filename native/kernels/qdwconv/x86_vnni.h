// VNNI, 8-bit weights: four taps of a channel lie together, of 64, 32 or 16 channels. Interleaving bytes and then
// 16-bit words within lanes of 128 bits leaves in lane l of vector v the channels 16 l + 4 v to 16 l + 4 v + 3; packing
// the results undoes it. vpdpbusd multiplies unsigned by signed bytes and wraps: signed activations are raised by 128,
// which the sums of the weights take back.
#pragma once

#include "kernels/qdwconv/rolling.h"
#include "kernels/qdwconv/x86_vectors.h"

namespace octavo {
namespace {

template <class V, bool kSigned>
class Quads {
 public:
  using Int = typename V::Int;
  using Weight = int8_t;
  static constexpr int kUnit = 4;
  static constexpr size_t kChannels = 16 * V::kLanes, kGroupWeights = 4 * kChannels;
  struct Acc {
    Int v[4];
  };
  using Group = Acc;

  static size_t position(size_t channel, size_t tap) {
    const size_t lane = channel / 16, vector = channel % 16 / 4;
    return (vector * V::kLanes * 4 + lane * 4 + channel % 4) * 4 + tap;
  }

  OCTAVO_INLINE Quads(const QDwTile& t, size_t c, const int32_t* sums)
      : hi_(V::fill_float(t.requantize.hi)),
        lowest_(V::fill16(static_cast<int16_t>(t.requantize.lo))),
        range_(V::fill16(static_cast<int16_t>(t.requantize.hi - t.requantize.lo))),
        offset_(V::fill8(static_cast<int8_t>(static_cast<int32_t>(t.requantize.lo) + t.requantize.zero_point))) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      bias_.v[i] = V::lanes(t.bias + c + i * 4);
      if (kSigned) bias_.v[i] = V::sub32(bias_.v[i], V::lanes(sums + c + i * 4));
      if (!t.to_int32) multiplier_[i] = V::as_float(V::lanes(t.multiplier + c + i * 4));
    }
  }

  OCTAVO_INLINE Acc start() const { return bias_; }

  // Places without a tap have weights of zero: any byte may stand there.
  template <int R>
  static OCTAVO_INLINE Group load(const uint8_t* const* p, size_t offset) {
    const Int a = bytes(p[0] + offset), b = R > 1 ? bytes(p[1] + offset) : a;
    const Int ab = V::low8(a, b), ab2 = V::high8(a, b);
    if constexpr (R <= 2) {
      return {{V::low16(ab, ab), V::high16(ab, ab), V::low16(ab2, ab2), V::high16(ab2, ab2)}};
    } else {
      const Int c = bytes(p[2] + offset), d = R > 3 ? bytes(p[3] + offset) : c;
      const Int cd = V::low8(c, d), cd2 = V::high8(c, d);
      return {{V::low16(ab, cd), V::high16(ab, cd), V::low16(ab2, cd2), V::high16(ab2, cd2)}};
    }
  }

  template <int R>
  static OCTAVO_INLINE void add(Acc* acc, const Group& group, const Weight* w) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) acc->v[i] = V::dot(acc->v[i], group.v[i], V::load(w + i * V::kLanes * 16));
  }

  OCTAVO_INLINE void store(const Acc& acc, const QDwTile& t, uint8_t* out, size_t n) const {
    if (t.to_int32) {
      int32_t words[kChannels];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) V::store_lanes(words + i * 4, acc.v[i]);
      std::memcpy(out, words, n * sizeof(int32_t));
      return;
    }
    const bool small = t.requantize.fits_int32;
    const Int result = V::add8(V::pack16(words(acc, 0, small), words(acc, 2, small)), offset_);
    if (V::kLanes > 1 || n == kChannels) {
      V::store(out, result);
      return;
    }
    uint8_t edge[kChannels];
    V::store(edge, result);
    std::memcpy(out, edge, n);
  }

 private:
  static OCTAVO_INLINE Int bytes(const uint8_t* p) { return kSigned ? V::flip(V::load(p)) : V::load(p); }
  // Relative to the lowest output, so that packing to unsigned bytes is the lower bound. What is far below any int32
  // becomes the least one; what is far above it would too, where products are not small.
  OCTAVO_INLINE Int words(const Acc& acc, int i, bool small) const {
    const Int w = V::sub16(V::pack32(scaled(acc, i, small), scaled(acc, i + 1, small)), lowest_);
    return small ? V::min16(w, range_) : w;
  }
  OCTAVO_INLINE Int scaled(const Acc& acc, int i, bool small) const {
    const auto v = V::mul(V::to_float(acc.v[i]), multiplier_[i]);
    return V::to_int(small ? v : V::min(v, hi_));
  }

  Acc bias_;
  typename V::Float multiplier_[4], hi_;
  Int lowest_, range_, offset_;
};

}  // namespace
}  // namespace octavo
