// The epilogue of 8 whole columns where the weights bound the sums (Requantize::fits_int16 and ::exact_float): a row of
// them is two vectors, becomes one of 16-bit words, then of bytes, and every narrowing is a clamp that was wanted.
#pragma once

#include <type_traits>

#include "kernels/qgemm/neon_store.h"

namespace octavo {
namespace {

enum class NeonEpilogue : uint8_t { kPlain, kExact, kWords, kAddExact, kAddWords, kAny };

inline NeonEpilogue epilogue_of(const QGemmTile& t) {
  const Requantize& q = t.epilogue.requantize;
  if (t.epilogue.store != QGemmStore::kBytes || !q.fits_int16) return NeonEpilogue::kAny;
  if (t.epilogue.residual == nullptr)
    return !q.exact_float              ? NeonEpilogue::kWords
           : NeonRoundBounded(q).plain ? NeonEpilogue::kPlain
                                       : NeonEpilogue::kExact;
  if (!t.epilogue.add.fits_int16 || t.epilogue.add.odd != 0) return NeonEpilogue::kAny;
  return q.exact_float ? NeonEpilogue::kAddExact : NeonEpilogue::kAddWords;
}

template <bool kExact, bool kPlain, int R>
__attribute__((always_inline)) inline void store_words(const QGemmTile& t, size_t column, const int32x4_t (&acc)[R][2],
                                                       const NeonRoundBounded& round) {
  const float32x4_t m0 = vld1q_f32(t.epilogue.multiplier + column), m1 = vld1q_f32(t.epilogue.multiplier + column + 4);
  uint8_t* c = static_cast<uint8_t*>(t.epilogue.c) + column;
  unroll<R>([&](auto r) __attribute__((always_inline)) {
    const uint16x8_t words =
        low_halves(round.template rounded<kExact>(acc[r][0], m0), round.template rounded<kExact>(acc[r][1], m1));
    vst1_u8(c, round.template bytes<kPlain>(words));
    c += t.epilogue.c_stride;
  });
}

template <bool kExact, int R>
__attribute__((always_inline)) inline void store_sums(const QGemmTile& t, size_t column, const int32x4_t (&acc)[R][2],
                                                      const NeonAddBounded& add) {
  const float32x4_t m0 = vld1q_f32(t.epilogue.multiplier + column), m1 = vld1q_f32(t.epilogue.multiplier + column + 4);
  uint8_t* c = static_cast<uint8_t*>(t.epilogue.c) + column;
  const uint8_t* residual = t.epilogue.residual + column;
  unroll<R>([&](auto r) __attribute__((always_inline)) {
    vst1_u8(c, add.template bytes<kExact>(acc[r], m0, m1, vld1_u8(residual)));
    c += t.epilogue.c_stride, residual += t.epilogue.c_stride;
  });
}

// Two rows by two columns in a vector, as SMMLA leaves them: rows part when they are bytes, and the multipliers of two
// columns lie twice in a vector.
using NeonPairs = int32x4_t[4];

inline float32x4_t pair_of(const float* m) {
  return vreinterpretq_f32_s64(vld1q_dup_s64(reinterpret_cast<const int64_t*>(m)));
}

// Two bytes of a row, two of the next, and so on.
template <int R, int P>
__attribute__((always_inline)) inline void store_rows(const uint8x16_t (&bytes)[P], uint8_t* c, size_t c_stride) {
  unroll<(P + 1) / 2>([&](auto i) __attribute__((always_inline)) {
    constexpr int first = i * 2, second = first + 1 < P ? first + 1 : first;
    const uint16x8_t a = vreinterpretq_u16_u8(bytes[first]), b = vreinterpretq_u16_u8(bytes[second]);
    const uint64x2_t even = vreinterpretq_u64_u16(vuzp1q_u16(a, b)), odd = vreinterpretq_u64_u16(vuzp2q_u16(a, b));
    const auto store = [&](auto lane, auto row, uint64x2_t rows) __attribute__((always_inline)) {
      if constexpr (first * 2 + row < R) {
        if constexpr (lane == 0) vst1_u8(c, vreinterpret_u8_u64(vget_low_u64(rows)));
        else vst1q_lane_u64(reinterpret_cast<uint64_t*>(c), rows, 1);
        c += c_stride;
      }
    };
    store(std::integral_constant<int, 0>(), std::integral_constant<int, 0>(), even);
    store(std::integral_constant<int, 0>(), std::integral_constant<int, 1>(), odd);
    store(std::integral_constant<int, 1>(), std::integral_constant<int, 2>(), even);
    store(std::integral_constant<int, 1>(), std::integral_constant<int, 3>(), odd);
  });
}

template <bool kExact, bool kPlain, int R, int P>
__attribute__((always_inline)) inline void store_words(const QGemmTile& t, size_t column, const NeonPairs (&acc)[P],
                                                       const NeonRoundBounded& round) {
  float32x4_t m[4];
  unroll<4>([&](auto i) __attribute__((always_inline)) { m[i] = pair_of(t.epilogue.multiplier + column + i * 2); });
  uint8x16_t bytes[P];
  unroll<P>([&](auto p) __attribute__((always_inline)) {
    const uint16x8_t low =
        low_halves(round.template rounded<kExact>(acc[p][0], m[0]), round.template rounded<kExact>(acc[p][1], m[1]));
    const uint16x8_t high =
        low_halves(round.template rounded<kExact>(acc[p][2], m[2]), round.template rounded<kExact>(acc[p][3], m[3]));
    bytes[p] = round.template bytes<kPlain>(low, high);
  });
  store_rows<R>(bytes, static_cast<uint8_t*>(t.epilogue.c) + column, t.epilogue.c_stride);
}

template <bool kExact, int R, int P>
__attribute__((always_inline)) inline void store_sums(const QGemmTile& t, size_t column, const NeonPairs (&acc)[P],
                                                      const NeonAddBounded& add) {
  float32x4_t m[4];
  unroll<4>([&](auto i) __attribute__((always_inline)) { m[i] = pair_of(t.epilogue.multiplier + column + i * 2); });
  const uint8_t* residual = t.epilogue.residual + column;
  uint8x16_t bytes[P];
  unroll<P>([&](auto p) __attribute__((always_inline)) {
    constexpr int pair = p;
    const uint16x8_t r0 = vreinterpretq_u16_u8(vcombine_u8(vld1_u8(residual), vdup_n_u8(0)));
    const uint16x8_t r1 = pair * 2 + 1 < R
                              ? vreinterpretq_u16_u8(vcombine_u8(vld1_u8(residual + t.epilogue.c_stride), vdup_n_u8(0)))
                              : r0;
    residual += 2 * t.epilogue.c_stride;
    const uint8x16_t both = veorq_u8(vreinterpretq_u8_u16(vzip1q_u16(r0, r1)), vcombine_u8(add.flip, add.flip));
    const uint16x8_t r_low = vmovl_u8(vget_low_u8(both)), r_high = vmovl_u8(vget_high_u8(both));
    const uint16x8_t low = low_halves(add.template rounded<kExact>(acc[p][0], m[0], vget_low_u16(r_low)),
                                      add.template rounded<kExact>(acc[p][1], m[1], vget_high_u16(r_low)));
    const uint16x8_t high = low_halves(add.template rounded<kExact>(acc[p][2], m[2], vget_low_u16(r_high)),
                                       add.template rounded<kExact>(acc[p][3], m[3], vget_high_u16(r_high)));
    bytes[p] = add.narrowed(low, high);
  });
  store_rows<R>(bytes, static_cast<uint8_t*>(t.epilogue.c) + column, t.epilogue.c_stride);
}

// What the panels of a tile have in common. E is not kAny.
template <NeonEpilogue E>
class NeonPanels {
 public:
  explicit NeonPanels(const QGemmTile& t)
      : round_(t.epilogue.requantize), add_(t.epilogue.requantize, t.epilogue.add) {}

  // The sums of a column start here, beside the bias.
  static constexpr int32_t kStart =
      E == NeonEpilogue::kWords || E == NeonEpilogue::kAddWords ? 0 : NeonRoundBounded::kStart;

  // Columns [column, column + 8).
  template <int R>
  __attribute__((always_inline)) inline void store(const QGemmTile& t, size_t column,
                                                   const int32x4_t (&acc)[R][2]) const {
    if constexpr (E == NeonEpilogue::kAddExact || E == NeonEpilogue::kAddWords)
      store_sums<kExact>(t, column, acc, add_);
    else store_words<kExact, E == NeonEpilogue::kPlain>(t, column, acc, round_);
  }
  template <int R, int P>
  __attribute__((always_inline)) inline void store_pairs(const QGemmTile& t, size_t column,
                                                         const NeonPairs (&acc)[P]) const {
    if constexpr (E == NeonEpilogue::kAddExact || E == NeonEpilogue::kAddWords)
      store_sums<kExact, R>(t, column, acc, add_);
    else store_words<kExact, E == NeonEpilogue::kPlain, R>(t, column, acc, round_);
  }

 private:
  static constexpr bool kExact = kStart != 0;
  NeonRoundBounded round_;
  NeonAddBounded add_;
};

// Tiles of 1 to 8 rows: of whole panels with the bounded epilogues in their order, and of all else. What Tiles::run<R,
// E> writes is whole panels; Tiles::any<R> takes any tile.
template <class Tiles>
inline void run_bounded(const QGemmTile& t, size_t panel_bytes) {
  static constexpr QGemmFunction kAny[] = {Tiles::template any<1>, Tiles::template any<2>, Tiles::template any<3>,
                                           Tiles::template any<4>, Tiles::template any<5>, Tiles::template any<6>,
                                           Tiles::template any<7>, Tiles::template any<8>};
#define OCTAVO_TILES(E)                                                                                        \
  {Tiles::template run<1, E>, Tiles::template run<2, E>, Tiles::template run<3, E>, Tiles::template run<4, E>, \
   Tiles::template run<5, E>, Tiles::template run<6, E>, Tiles::template run<7, E>, Tiles::template run<8, E>}
  static constexpr QGemmFunction kBounded[][8] = {
      OCTAVO_TILES(NeonEpilogue::kPlain), OCTAVO_TILES(NeonEpilogue::kExact), OCTAVO_TILES(NeonEpilogue::kWords),
      OCTAVO_TILES(NeonEpilogue::kAddExact), OCTAVO_TILES(NeonEpilogue::kAddWords)};
#undef OCTAVO_TILES
  const NeonEpilogue epilogue = epilogue_of(t);
  if (epilogue == NeonEpilogue::kAny) return kAny[t.m - 1](t);
  const QGemmFunction whole = kBounded[static_cast<size_t>(epilogue)][t.m - 1];
  const size_t done = t.n / 8 * 8;
  if (done == t.n) return whole(t);
  QGemmTile part = t;
  part.n = done;
  if (done > 0) whole(part);
  part.n = t.n - done;
  part.operands.panel += done / 8 * panel_bytes;
  part.epilogue.bias += done, part.epilogue.multiplier += done;
  part.epilogue.c = static_cast<uint8_t*>(t.epilogue.c) + done;
  if (t.epilogue.residual) part.epilogue.residual += done;
  kAny[t.m - 1](part);
}

}  // namespace
}  // namespace octavo
