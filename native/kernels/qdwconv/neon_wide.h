// NEON, both ARMv8 and ARMv7, weights of any zero point: eight channels, each tap widened to 16 bits and multiplied
// into 32.
#pragma once

#include "kernels/qdwconv/neon_store.h"
#include "kernels/qdwconv/rolling.h"

namespace octavo {
namespace {

template <bool kSigned>
class Wide {
 public:
  using Weight = int16_t;
  static constexpr int kUnit = 1;
  static constexpr size_t kChannels = 8, kGroupWeights = 8;
  using Acc = NeonAcc<2>;
  using Group = int16x8_t;

  static size_t position(size_t channel, size_t) { return channel; }

  OCTAVO_INLINE Wide(const QDwTile& t, size_t c, const int32_t*)
      : bias_(start_words<2>(t.bias + c, nullptr)), store_(t, c) {}
  OCTAVO_INLINE Acc start() const { return bias_; }

  template <int R>
  static OCTAVO_INLINE Group load(const uint8_t* const* p, size_t offset) {
    const uint8x8_t bytes = vld1_u8(p[0] + offset);
    return kSigned ? vmovl_s8(vreinterpret_s8_u8(bytes)) : vreinterpretq_s16_u16(vmovl_u8(bytes));
  }

  template <int R>
  static OCTAVO_INLINE void add(Acc* acc, Group x, const Weight* weights) {
    const int16x8_t w = vld1q_s16(weights);
    acc->v[0] = vmlal_s16(acc->v[0], vget_low_s16(x), vget_low_s16(w));
    acc->v[1] = vmlal_s16(acc->v[1], vget_high_s16(x), vget_high_s16(w));
  }

  OCTAVO_INLINE void store(const Acc& acc, const QDwTile& t, uint8_t* out, size_t n) const { store_(acc, t, out, n); }

 private:
  Acc bias_;
  NeonStore<2> store_;
};

}  // namespace
}  // namespace octavo
