// What the state of a recurrent layer is multiplied by: float weights, or int8 ones with a scale for each row.
#pragma once

#include "kernels/hybrid/hybrid.h"
#include "kernels/sgemm/sgemm.h"
#include "ops/support/aligned_buffer.h"
#include "ops/support/op_support.h"

namespace octavo::ops {

// Rows of the weights that are multiplied at once, and where they lie among the packed ones of a direction, in bytes.
struct RecurrentPart {
  int64_t first = 0, rows = 0;
  size_t weights = 0, scales = 0;
};

struct RecurrentLayout {
  bool integer = false;
  int64_t hidden = 0, rows = 0;  // of a direction: rows is gates * hidden
  // All gates; or the first of them, and the last one, whose state is another (a GRU that resets before its product).
  RecurrentPart parts[2];
  size_t bytes = 0;  // of a direction

  // False: too big.
  [[nodiscard]] bool plan(bool is_integer, int64_t gates, int64_t hidden_size, bool last_apart);
  // Packs the weights of a direction, [rows, hidden]. scales: [rows] or, where `one_scale`, one.
  void pack(const void* weights, const float* scales, bool one_scale, uint8_t* packed) const;
  // out[i][j] = bias[j] + sum over k of a[i][k] * weights[j][k], j of the part; rows of a are `hidden` apart, those of
  // out `rows`. bias: readable kHybridColumns past the end.
  void multiply(ThreadPool& pool, const RecurrentPart& part, const uint8_t* packed, const float* a, int64_t m,
                const float* bias, float* out) const;
};

// Weights that are constant, packed at load.
class RecurrentWeights {
 public:
  // `input`: [directions, gates * hidden, hidden]; of a QRecurrent, scale and zero point follow.
  Status load(const LoadContext& c, int input, bool integer, int64_t gates, int64_t directions, bool last_apart);
  bool is_packed() const { return packed_.data() != nullptr; }
  const uint8_t* of(int direction) const { return packed_.data() + static_cast<size_t>(direction) * layout_.bytes; }
  size_t bytes() const { return packed_.bytes(); }

 private:
  RecurrentLayout layout_;
  AlignedBuffer packed_;
};

}  // namespace octavo::ops
