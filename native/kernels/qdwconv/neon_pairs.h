// NEON, both ARMv8 and ARMv7, 8-bit weights above -128: two products of signed bytes fit 16 bits, and are widened
// together. The multiplier of Cortex-A72 does eight lanes of bytes a cycle, but four of 16 bits. Unsigned activations
// are lowered by 128, which the sums of the weights take back.
#pragma once

#include "kernels/qdwconv/neon_store.h"
#include "kernels/qdwconv/rolling.h"

namespace octavo {
namespace {

#if defined(__aarch64__)
using NeonBytes = int8x16_t;
OCTAVO_INLINE NeonBytes load_bytes(const void* p) { return vld1q_s8(static_cast<const int8_t*>(p)); }
OCTAVO_INLINE NeonBytes flip_sign(NeonBytes x) { return veorq_s8(x, vdupq_n_s8(-128)); }
#else
using NeonBytes = int8x8_t;  // half of the registers
OCTAVO_INLINE NeonBytes load_bytes(const void* p) { return vld1_s8(static_cast<const int8_t*>(p)); }
OCTAVO_INLINE NeonBytes flip_sign(NeonBytes x) { return veor_s8(x, vdup_n_s8(-128)); }
#endif

template <bool kSigned>
class Pairs {
 public:
  using Weight = int8_t;
  static constexpr int kUnit = 2, kVectors = sizeof(NeonBytes) / 4;
  static constexpr size_t kChannels = sizeof(NeonBytes), kGroupWeights = 2 * kChannels;
  using Acc = NeonAcc<kVectors>;
  struct Group {
    NeonBytes v[2];
  };

  static size_t position(size_t channel, size_t tap) { return tap * kChannels + channel; }

  OCTAVO_INLINE Pairs(const QDwTile& t, size_t c, const int32_t* sums)
      : bias_(start_words<kVectors>(t.bias + c, kSigned ? nullptr : sums + c)), store_(t, c) {}
  OCTAVO_INLINE Acc start() const { return bias_; }

  template <int R>
  static OCTAVO_INLINE Group load(const uint8_t* const* p, size_t offset) {
    const NeonBytes a = load_bytes(p[0] + offset), b = load_bytes(p[R - 1] + offset);
    return kSigned ? Group{{a, b}} : Group{{flip_sign(a), flip_sign(b)}};
  }

  template <int R>
  static OCTAVO_INLINE void add(Acc* acc, const Group& x, const Weight* weights) {
    const NeonBytes w = load_bytes(weights), w2 = load_bytes(weights + kChannels);
#if defined(__aarch64__)
    int16x8_t low = vmull_s8(vget_low_s8(x.v[0]), vget_low_s8(w)), high = vmull_high_s8(x.v[0], w);
    if (R == 2) low = vmlal_s8(low, vget_low_s8(x.v[1]), vget_low_s8(w2)), high = vmlal_high_s8(high, x.v[1], w2);
    acc->v[2] = vaddw_s16(acc->v[2], vget_low_s16(high));
    acc->v[3] = vaddw_high_s16(acc->v[3], high);
#else
    int16x8_t low = vmull_s8(x.v[0], w);
    if (R == 2) low = vmlal_s8(low, x.v[1], w2);
#endif
    acc->v[0] = vaddw_s16(acc->v[0], vget_low_s16(low));
    acc->v[1] = vaddw_s16(acc->v[1], vget_high_s16(low));
  }

  OCTAVO_INLINE void store(const Acc& acc, const QDwTile& t, uint8_t* out, size_t n) const { store_(acc, t, out, n); }

 private:
  Acc bias_;
  NeonStore<kVectors> store_;
};

}  // namespace
}  // namespace octavo
