// dotprod: four taps of a channel lie together. Interleaving bytes and then 16-bit words keeps the channels in order.
// Unsigned activations are lowered by 128, which the sums of the weights take back.
#include "kernels/qdwconv/neon_store.h"
#include "kernels/qdwconv/neondot_rows.h"

namespace octavo {
namespace {

template <bool kSigned>
class Quads {
 public:
  using Weight = int8_t;
  static constexpr int kUnit = 4;
  static constexpr size_t kChannels = 16, kGroupWeights = 64;
  using Acc = NeonAcc<4>;
  struct Group {
    int8x16_t v[4];
  };

  static size_t position(size_t channel, size_t tap) { return channel * 4 + tap; }

  OCTAVO_INLINE Quads(const QDwTile& t, size_t c, const int32_t* sums)
      : bias_(start_words<4>(t.bias + c, kSigned ? nullptr : sums + c)), store_(t, c) {}
  OCTAVO_INLINE Acc start() const { return bias_; }

  // Places without a tap have weights of zero: any byte may stand there.
  template <int R>
  static OCTAVO_INLINE Group load(const uint8_t* const* p, size_t offset) {
    const int8x16_t a = bytes(p[0] + offset), b = R > 1 ? bytes(p[1] + offset) : a;
    const int16x8_t ab = vreinterpretq_s16_s8(vzip1q_s8(a, b)), ab2 = vreinterpretq_s16_s8(vzip2q_s8(a, b));
    if constexpr (R <= 2) {
      return quads(ab, ab, ab2, ab2);
    } else {
      const int8x16_t c = bytes(p[2] + offset), d = R > 3 ? bytes(p[3] + offset) : c;
      return quads(ab, vreinterpretq_s16_s8(vzip1q_s8(c, d)), ab2, vreinterpretq_s16_s8(vzip2q_s8(c, d)));
    }
  }

  template <int R>
  static OCTAVO_INLINE void add(Acc* acc, const Group& x, const Weight* w) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) acc->v[i] = vdotq_s32(acc->v[i], x.v[i], vld1q_s8(w + i * 16));
  }

  OCTAVO_INLINE void store(const Acc& acc, const QDwTile& t, uint8_t* out, size_t n) const { store_(acc, t, out, n); }

 private:
  static OCTAVO_INLINE int8x16_t bytes(const uint8_t* p) {
    const uint8x16_t x = vld1q_u8(p);
    return vreinterpretq_s8_u8(kSigned ? x : veorq_u8(x, vdupq_n_u8(128)));
  }
  static OCTAVO_INLINE Group quads(int16x8_t ab, int16x8_t cd, int16x8_t ab2, int16x8_t cd2) {
    return {{vreinterpretq_s8_s16(vzip1q_s16(ab, cd)), vreinterpretq_s8_s16(vzip2q_s16(ab, cd)),
             vreinterpretq_s8_s16(vzip1q_s16(ab2, cd2)), vreinterpretq_s8_s16(vzip2q_s16(ab2, cd2))}};
  }

  Acc bias_;
  NeonStore<4> store_;
};

template <bool kSigned>
void run(const QDwTile& t) {
  if (!t.window.rolls()) return run_windows<Quads<kSigned>>(t);
  with_constants(t.window, [&](auto size, auto stride) { run_dot_rows<size, stride, kSigned>(t); });
}

// The sums of all channels as other windows have them, then blocks of 8 channels.
void pack_rows(const QDwWindow& window, const int16_t* weights, size_t channels, void* out) {
  auto* w = static_cast<int8_t*>(sum_weights(window, weights, channels, out));
  with_constants(window, [&](auto size, auto stride) {
    using Weights = DotWeights<size, stride>;
    for (size_t c = 0; c < channels; c += kDotChannels, w += Weights::kBytes) Weights::pack(weights, channels, c, w);
  });
}

}  // namespace

void qdwconv_s8s8_16c4_arm_neondot_pack(const QDwWindow& window, const int16_t* weights, size_t channels, void* out) {
  if (window.rolls()) return pack_rows(window, weights, channels, out);
  pack_qdwconv<Quads<true>>(window, weights, channels, out);
}
void qdwconv_s8s8_16c4_arm_neondot_s8(const QDwTile& t) { run<true>(t); }
void qdwconv_s8s8_16c4_arm_neondot_u8(const QDwTile& t) { run<false>(t); }

}  // namespace octavo
