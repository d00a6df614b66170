// The epilogue of 8 whole columns where the weights bound the sums (Requantize::words and ::exact): a row of them is two
// vectors, becomes one of 16-bit words, then of bytes, and every narrowing is a clamp that was wanted.
#pragma once

#include "kernels/qgemm/neon_store.h"

namespace octavo {
namespace {

enum class NeonEpilogue : uint8_t { kPlain, kExact, kWords, kAddExact, kAddWords, kAny };

inline NeonEpilogue epilogue_of(const QGemmTile& t) {
  const Requantize& q = t.requantize;
  if (t.store != QGemmStore::kBytes || !q.words || t.row_bias != nullptr) return NeonEpilogue::kAny;
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
