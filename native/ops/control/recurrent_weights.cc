#include "ops/control/recurrent_weights.h"

#include <algorithm>
#include <limits>

#include "ops/quantize/quantization.h"
#include "ops/support/float_constant.h"

namespace octavo::ops {
namespace {

constexpr int64_t kTaskProducts = 65536;  // of a row

// Calls body(first, last) for groups of blocks of `width` columns; groups by shape.
template <class Body>
void for_blocks(ThreadPool& pool, int64_t row_tasks, int64_t columns, int64_t width, int64_t k, Body body) {
  const int64_t blocks = (columns + width - 1) / width;
  const int64_t per_task = std::max<int64_t>(1, kTaskProducts / std::max<int64_t>(1, k * width));
  const int64_t column_tasks = (blocks + per_task - 1) / per_task;
  pool.for_each(row_tasks * column_tasks, [&](int64_t task, int) {
    const int64_t first = task % column_tasks * per_task;
    body(task / column_tasks, first, std::min(blocks, first + per_task));
  });
}

}  // namespace

bool RecurrentLayout::plan(bool is_integer, int64_t gates, int64_t hidden_size, bool last_apart) {
  integer = is_integer;
  hidden = hidden_size;
  if (hidden < 0 || __builtin_mul_overflow(gates, hidden, &rows)) return false;
  int64_t elements;
  if (__builtin_mul_overflow(rows + 64, hidden + 1, &elements) || elements > PTRDIFF_MAX / 64) return false;
  parts[0] = {0, last_apart ? rows - hidden : rows, 0, 0};
  parts[1] = {rows - hidden, last_apart ? hidden : 0, 0, 0};
  bytes = 0;
  const auto take = [&](size_t count) {
    const size_t at = bytes;
    bytes += (count + 63) / 64 * 64;
    return at;
  };
  for (RecurrentPart& part : parts) {
    const size_t k = static_cast<size_t>(hidden), n = static_cast<size_t>(part.rows);
    const size_t columns = (n + kHybridColumns - 1) / kHybridColumns * kHybridColumns;
    part.weights = take(integer ? hybrid_packed_size(k, n) : sgemm_packed_size(sgemm_kernel(), k, n) * sizeof(float));
    part.scales = take(integer ? columns * sizeof(float) : 0);
  }
  return true;
}

void RecurrentLayout::pack(const void* weights, const float* scales, bool one_scale, uint8_t* packed) const {
  const SgemmKernel& kernel = sgemm_kernel();
  for (const RecurrentPart& part : parts) {
    const size_t k = static_cast<size_t>(hidden), n = static_cast<size_t>(part.rows);
    if (!integer) {
      const float* from = static_cast<const float*>(weights) + part.first * hidden;
      sgemm_pack(kernel, from, k, n, 1, hidden, 1.0f, 0, (n + kernel.nr - 1) / kernel.nr,
                 reinterpret_cast<float*>(packed + part.weights));
      continue;
    }
    hybrid_pack(static_cast<const int8_t*>(weights) + part.first * hidden, k, n,
                reinterpret_cast<int8_t*>(packed + part.weights));
    float* to = reinterpret_cast<float*>(packed + part.scales);
    for (size_t j = 0; j < n; ++j) to[j] = scales[one_scale ? 0 : static_cast<size_t>(part.first) + j];
    std::fill(to + n, to + (n + kHybridColumns - 1) / kHybridColumns * kHybridColumns, 0.0f);
  }
}

void RecurrentLayout::multiply(ThreadPool& pool, const RecurrentPart& part, const uint8_t* packed, const float* a,
                               int64_t m, const float* bias, float* out) const {
  const int64_t n = part.rows, k = hidden;
  if (integer) {
    const HybridKernel& kernel = hybrid_kernel();
    constexpr int64_t kWidth = static_cast<int64_t>(kHybridColumns);
    const int8_t* b = reinterpret_cast<const int8_t*>(packed + part.weights);
    const float* scales = reinterpret_cast<const float*>(packed + part.scales);
    for_blocks(pool, 1, n, kWidth, k, [&](int64_t, int64_t first, int64_t last) {
      for (int64_t j = first * kWidth; j < last * kWidth; j += kWidth)
        kernel.panel({static_cast<size_t>(m), static_cast<size_t>(std::min(kWidth, n - j)), static_cast<size_t>(k), a,
                      static_cast<size_t>(k), b + j * k, scales + j, bias + j, out + j, static_cast<size_t>(rows)});
    });
    return;
  }
  const SgemmKernel& kernel = sgemm_kernel();
  const int64_t mr = static_cast<int64_t>(kernel.mr), nr = static_cast<int64_t>(kernel.nr);
  const float inf = std::numeric_limits<float>::infinity();
  const float* b = reinterpret_cast<const float*>(packed + part.weights);
  for_blocks(pool, (m + mr - 1) / mr, n, nr, k, [&](int64_t row_task, int64_t first, int64_t last) {
    const int64_t row = row_task * mr, count = std::min(mr, m - row);
    const float* rows_in[kSgemmMaxRows];
    float* rows_out[kSgemmMaxRows];
    for (int64_t i = 0; i < count; ++i) rows_in[i] = a + (row + i) * k;
    for (int64_t j = first * nr; j < last * nr; j += nr) {
      for (int64_t i = 0; i < count; ++i) rows_out[i] = out + (row + i) * rows + j;
      kernel.tile({static_cast<size_t>(count), static_cast<size_t>(std::min(nr, n - j)), 1, static_cast<size_t>(k),
                   rows_in, b + j * k, kernel.nr, bias + j, nullptr, -inf, inf, rows_out});
    }
  });
}

Status RecurrentWeights::load(const LoadContext& c, int input, bool integer, int64_t gates, int64_t directions,
                              bool last_apart) {
  const TensorSpec& r = *c.input(input);
  if (!r.constant) return integer ? c.error(Code::kInvalidPlan, "weights that are not constant") : Status::Ok();
  const Shape& s = r.shape;
  if (s.rank != 3) return c.error(Code::kShape, "r " + dims_text(s) + ": expected rank 3");
  if (!layout_.plan(integer, gates, s[2], last_apart)) return c.error(Code::kLimit, "the weights are too big");
  if (s[0] != directions || s[1] != layout_.rows)
    return c.error(Code::kShape, "r " + dims_text(s) + ": expected [" + std::to_string(directions) + ", " +
                                     std::to_string(layout_.rows) + ", " + std::to_string(s[2]) + "]");
  FloatConstant scales, floats;
  const int64_t all = directions * layout_.rows;
  bool one = true;
  if (integer) {
    const TensorSpec& scale = *c.input(input + 1);
    const TensorSpec* zero = c.input(input + 2);
    if (!scale.constant || (zero != nullptr && !zero->constant))
      return c.error(Code::kInvalidPlan, "scales of weights that are not constant");
    const int64_t count = scale.shape.elements();
    one = count == 1;
    if (count != 1 && count != all)
      return c.error(Code::kInvalidPlan,
                     "expected 1 or " + std::to_string(all) + " scales, got " + std::to_string(count));
    if (!scales.open(scale.data, scale.byte_length)) return c.error(Code::kOutOfMemory, "scales");
    for (int64_t i = 0; i < count; ++i)
      if (!Quantization::valid(scales.data()[i]))
        return c.error(Code::kInvalidPlan, Quantization::bad_scale(scales.data()[i]));
    for (size_t i = 0; zero != nullptr && i < zero->byte_length; ++i)
      if (zero->data[i] != 0) return c.error(Code::kUnsupported, "a zero point of recurrent weights that is not 0");
  } else if (!floats.open(r.data, r.byte_length)) return c.error(Code::kOutOfMemory, "weights");
  size_t total = 0;
  if (__builtin_mul_overflow(layout_.bytes, static_cast<size_t>(directions), &total) ||
      !packed_.allocate_in(c.store(), std::max<size_t>(1, total)))
    return c.error(Code::kOutOfMemory, "no memory for packed weights");
  for (int64_t d = 0; d < directions; ++d) {
    const int64_t row = d * layout_.rows, at = row * layout_.hidden;
    const void* weights = integer ? static_cast<const void*>(r.data + at) : floats.data() + at;
    layout_.pack(weights, integer ? scales.data() + (one ? 0 : row) : nullptr, one,
                 packed_.data() + static_cast<size_t>(d) * layout_.bytes);
  }
  return Status::Ok();
}

}  // namespace octavo::ops
