// The epilogue of 8 whole columns where the weights bound the sums (Requantize::words and ::exact): a row of them is two
// vectors, becomes one of 16-bit words, then of bytes, and every narrowing is a clamp that was wanted.
#pragma once

#include "kernels/qgemm/neon_store.h"

namespace octavo {
namespace {

enum class NeonEpilogue : uint8_t { kPlain, kExact, kWords, kAddExact, kAddWords, kAny };

inline NeonEpilogue epilogue_of(const QGemmTile& t) {
  const Requantize& q = t.requantize;
  if (t.store != QGemmStore::kBytes || !q.words) return NeonEpilogue::kAny;
  if (t.residual == nullptr) return !q.exact ? NeonEpilogue::kWords : NeonRoundBounded(q).plain ? NeonEpilogue::kPlain : NeonEpilogue::kExact;
  if (!t.add.words || t.add.odd != 0) return NeonEpilogue::kAny;
  return q.exact ? NeonEpilogue::kAddExact : NeonEpilogue::kAddWords;
}

template <bool kExact, bool kPlain, int R>
__attribute__((always_inline)) inline void store_words(const QGemmTile& t, size_t column, const int32x4_t (&acc)[R][2], const NeonRoundBounded& round) {
  const float32x4_t m0 = vld1q_f32(t.multiplier + column), m1 = vld1q_f32(t.multiplier + column + 4);
  uint8_t* c = static_cast<uint8_t*>(t.c) + column;
  unroll<R>([&](auto r) __attribute__((always_inline)) {
    const uint16x8_t words = low_halves(round.template rounded<kExact>(acc[r][0], m0), round.template rounded<kExact>(acc[r][1], m1));
    vst1_u8(c, round.template bytes<kPlain>(words));
    c += t.c_stride;
  });
}

template <bool kExact, int R>
__attribute__((always_inline)) inline void store_sums(const QGemmTile& t, size_t column, const int32x4_t (&acc)[R][2], const NeonAddBounded& add) {
  const float32x4_t m0 = vld1q_f32(t.multiplier + column), m1 = vld1q_f32(t.multiplier + column + 4);
  uint8_t* c = static_cast<uint8_t*>(t.c) + column;
  const uint8_t* residual = t.residual + column;
  unroll<R>([&](auto r) __attribute__((always_inline)) {
    vst1_u8(c, add.template bytes<kExact>(acc[r], m0, m1, vld1_u8(residual)));
    c += t.c_stride, residual += t.c_stride;
  });
}

// Two rows by two columns in a vector, as SMMLA leaves them: rows part when they are words, and the multipliers of two
// columns lie twice in a vector.
using NeonPairs = int32x4_t[4];
constexpr int fewer_rows(int left) { return left < 2 ? left : 2; }

inline float32x4_t pair_of(const float* m) { return vreinterpretq_f32_s64(vld1q_dup_s64(reinterpret_cast<const int64_t*>(m))); }

struct NeonRowPair {
  uint16x8_t row[2];
};
inline NeonRowPair rows_of(uint32x4_t c0, uint32x4_t c1, uint32x4_t c2, uint32x4_t c3) {
  const uint32x4_t low = vreinterpretq_u32_u16(low_halves(c0, c1)), high = vreinterpretq_u32_u16(low_halves(c2, c3));
  return {{vreinterpretq_u16_u32(vuzp1q_u32(low, high)), vreinterpretq_u16_u32(vuzp2q_u32(low, high))}};
}

template <bool kExact, bool kPlain, int R, int P>
__attribute__((always_inline)) inline void store_words(const QGemmTile& t, size_t column, const NeonPairs (&acc)[P], const NeonRoundBounded& round) {
  float32x4_t m[4];
  unroll<4>([&](auto i) __attribute__((always_inline)) { m[i] = pair_of(t.multiplier + column + i * 2); });
  uint8_t* c = static_cast<uint8_t*>(t.c) + column;
  unroll<P>([&](auto p) __attribute__((always_inline)) {
    constexpr int pair = p;
    const NeonRowPair words = rows_of(round.template rounded<kExact>(acc[p][0], m[0]), round.template rounded<kExact>(acc[p][1], m[1]),
                                      round.template rounded<kExact>(acc[p][2], m[2]), round.template rounded<kExact>(acc[p][3], m[3]));
    unroll<fewer_rows(R - pair * 2)>([&](auto r) __attribute__((always_inline)) {
      vst1_u8(c, round.template bytes<kPlain>(words.row[r]));
      c += t.c_stride;
    });
  });
}

template <bool kExact, int R, int P>
__attribute__((always_inline)) inline void store_sums(const QGemmTile& t, size_t column, const NeonPairs (&acc)[P], const NeonAddBounded& add) {
  float32x4_t m[4];
  unroll<4>([&](auto i) __attribute__((always_inline)) { m[i] = pair_of(t.multiplier + column + i * 2); });
  uint8_t* c = static_cast<uint8_t*>(t.c) + column;
  const uint8_t* residual = t.residual + column;
  unroll<P>([&](auto p) __attribute__((always_inline)) {
    constexpr int pair = p, rows = fewer_rows(R - pair * 2);
    const uint16x8_t r0 = vreinterpretq_u16_u8(vcombine_u8(vld1_u8(residual), vdup_n_u8(0)));
    const uint16x8_t r1 = rows > 1 ? vreinterpretq_u16_u8(vcombine_u8(vld1_u8(residual + t.c_stride), vdup_n_u8(0))) : r0;
    const uint8x16_t both = veorq_u8(vreinterpretq_u8_u16(vzip1q_u16(r0, r1)), vcombine_u8(add.flip, add.flip));
    const uint16x8_t low = vmovl_u8(vget_low_u8(both)), high = vmovl_u8(vget_high_u8(both));
    const NeonRowPair words = rows_of(add.template rounded<kExact>(acc[p][0], m[0], vget_low_u16(low)), add.template rounded<kExact>(acc[p][1], m[1], vget_high_u16(low)),
                                      add.template rounded<kExact>(acc[p][2], m[2], vget_low_u16(high)), add.template rounded<kExact>(acc[p][3], m[3], vget_high_u16(high)));
    unroll<rows>([&](auto r) __attribute__((always_inline)) {
      vst1_u8(c, add.narrowed(words.row[r]));
      c += t.c_stride, residual += t.c_stride;
    });
  });
}

// What the panels of a tile have in common. E is not kAny.
template <NeonEpilogue E>
class NeonPanels {
 public:
  explicit NeonPanels(const QGemmTile& t) : round_(t.requantize), add_(t.requantize, t.add) {}

  // The sums of a column start here, beside the bias.
  int32x4_t start() const { return vdupq_n_s32(kExact ? NeonRoundBounded::kStart : 0); }

  // Columns [column, column + 8).
  template <int R>
  __attribute__((always_inline)) inline void store(const QGemmTile& t, size_t column, const int32x4_t (&acc)[R][2]) const {
    if constexpr (E == NeonEpilogue::kAddExact || E == NeonEpilogue::kAddWords) store_sums<kExact>(t, column, acc, add_);
    else store_words<kExact, E == NeonEpilogue::kPlain>(t, column, acc, round_);
  }
  template <int R, int P>
  __attribute__((always_inline)) inline void store_pairs(const QGemmTile& t, size_t column, const NeonPairs (&acc)[P]) const {
    if constexpr (E == NeonEpilogue::kAddExact || E == NeonEpilogue::kAddWords) store_sums<kExact, R>(t, column, acc, add_);
    else store_words<kExact, E == NeonEpilogue::kPlain, R>(t, column, acc, round_);
  }

 private:
  static constexpr bool kExact = E != NeonEpilogue::kWords && E != NeonEpilogue::kAddWords;
  NeonRoundBounded round_;
  NeonAddBounded add_;
};

// Tiles of 1 to 8 rows: of whole panels with the bounded epilogues in their order, and of all else. What Tiles::run<R, E>
// writes is whole panels; Tiles::any<R> takes any tile.
template <class Tiles>
inline void run_bounded(const QGemmTile& t, size_t panel_bytes) {
  static constexpr QGemmFunction kAny[] = {Tiles::template any<1>, Tiles::template any<2>, Tiles::template any<3>, Tiles::template any<4>,
                                           Tiles::template any<5>, Tiles::template any<6>, Tiles::template any<7>, Tiles::template any<8>};
#define OCTAVO_TILES(E) \
  {Tiles::template run<1, E>, Tiles::template run<2, E>, Tiles::template run<3, E>, Tiles::template run<4, E>, \
   Tiles::template run<5, E>, Tiles::template run<6, E>, Tiles::template run<7, E>, Tiles::template run<8, E>}
  static constexpr QGemmFunction kBounded[][8] = {OCTAVO_TILES(NeonEpilogue::kPlain), OCTAVO_TILES(NeonEpilogue::kExact),
                                                  OCTAVO_TILES(NeonEpilogue::kWords), OCTAVO_TILES(NeonEpilogue::kAddExact),
                                                  OCTAVO_TILES(NeonEpilogue::kAddWords)};
#undef OCTAVO_TILES
  const NeonEpilogue epilogue = epilogue_of(t);
  if (epilogue == NeonEpilogue::kAny) return kAny[t.m - 1](t);
  QGemmTile part = t;
  part.n = t.n / 8 * 8;
  if (part.n > 0) kBounded[static_cast<size_t>(epilogue)][t.m - 1](part);
  const size_t done = part.n;
  part.n = t.n - done;
  if (part.n == 0) return;
  part.panel += done / 8 * panel_bytes;
  part.bias += done, part.multiplier += done;
  part.c = static_cast<uint8_t*>(t.c) + done;
  if (t.residual) part.residual += done;
  kAny[t.m - 1](part);
}

}  // namespace
}  // namespace octavo
