// The loop nest over kernel tiles of the quantized linear operators: tasks, row pointers, epilogue.
#pragma once

#include <algorithm>

#include "cpu/tuning.h"
#include "kernels/qgemm/pack.h"
#include "ops/product/qlinear.h"

namespace octavo {

// Sizes of one product, and how it is cut into tasks. Depends on the shape and the caches alone.
struct QGemmBlocks {
  const QGemmKernel* kernel = nullptr;
  QGemmLayout layout;
  int64_t rows = 0;                       // of one batch
  int64_t batches = 1;                    // groups of a convolution, matrices of a batched product
  int64_t tiles = 0, tiles_per_task = 1;  // of rows
  size_t panels_per_task = 1;
  int64_t row_tasks = 0, column_tasks = 0;

  void plan(const Tuning& tuning);
  // Where tile i begins, i <= tiles. They have nearly one height in units, so that no last one is left with too few
  // rows to fill the pipelines.
  int64_t first_row(int64_t i) const { return std::min(rows, (tile_units_ * i + std::min(i, longer_tiles_)) * unit_); }
  int64_t tasks() const { return batches * row_tasks * column_tasks; }
  // Scratch of one thread: row pointers, sums of rows and what is made of them, one tile of int32, rows zipped. False:
  // overflow.
  [[nodiscard]] bool thread_bytes(size_t* bytes) const;

 private:
  int64_t unit_ = 1;                           // rows
  int64_t tile_units_ = 0, longer_tiles_ = 0;  // the first tiles have a unit more
};

// The tensors of one run.
struct QGemmRun {
  const int8_t* packed = nullptr;
  size_t packed_stride = 0;            // bytes from one batch to the next; 0: shared
  size_t columns_stride = 0;           // the same of the columns of the parameters
  const size_t* weights_of = nullptr;  // [batches]: which weights a batch takes; null: its own
  uint8_t* out = nullptr;
  const uint8_t* residual = nullptr;
  size_t out_stride = 0;           // elements from one batch to the next
  const size_t* out_of = nullptr;  // [batches]: first element of a batch instead
  size_t row_stride = 0;           // elements from one row to the next
};

struct QGemmScratch {
  const uint8_t** rows;
  uint32_t* row_sums;
  int32_t* row_bias;
  int32_t* tile;
  uint8_t* zipped;
};
QGemmScratch split_thread_scratch(const QGemmBlocks& blocks, void* memory);

// Rows from `count` on are the last one again.
inline void repeat_last_row(const QGemmBlocks& blocks, size_t count, const uint8_t** rows) {
  const size_t mr = static_cast<size_t>(blocks.kernel->mr);
  for (size_t tap = 0; count < mr && tap < blocks.layout.taps; ++tap, rows += mr)
    std::fill(rows + count, rows + mr, rows[count - 1]);
}

// The sum over all taps of every row of a tile: what remains of a weight zero point is subtracted that often.
void sum_rows(const QGemmBlocks& blocks, bool a_signed, size_t count, const QGemmScratch& scratch);
// The same as what a kernel adds, where all columns have one zero point.
void bias_rows(const QGemmBlocks& blocks, int32_t w_zero, size_t count, const QGemmScratch& scratch);

// Accumulators of one tile to f32, int32 or bytes where the kernel could not do it itself.
void finish_tile(const QGemmBlocks& blocks, const QLinear& linear, const QLinearParameters& p,
                 const QGemmScratch& scratch, size_t column, size_t m, size_t n, uint8_t* out, size_t row_bytes);

ResidualAdd residual_add(const Q8Binary& p);

// Residual and table, over `m` rows of `n` bytes in place.
void finish_bytes(const QLinearParameters& p, uint8_t* out, const uint8_t* residual, size_t m, size_t n,
                  size_t row_bytes);

// fill(batch, row, count, rows, thread) sets rows[tap * mr + r] for r < mr; those from `count` on repeat a valid row.
template <class Fill>
void run_qgemm(RunContext& context, const QLinear& linear, const QGemmBlocks& b, const QGemmRun& run,
               const QLinearParameters& parameters, Fill&& fill) {
  const size_t nr = b.layout.nr, element = linear.output_bytes();
  const bool row_bias = parameters.correct_rows && parameters.same_w_zero && b.kernel->has(kRowBias);
  const bool direct = (!parameters.correct_rows || row_bias) && linear.output() != QLinearOutput::kFloat;
  const bool fused = direct && run.residual && b.kernel->has(kAdds);
  const uint8_t* separate = fused ? nullptr : run.residual;
  const ResidualAdd add = residual_add(parameters.residual);
  context.pool().for_each(b.tasks(), [&](int64_t task, int thread) {
    if (context.cancelled().load(std::memory_order_relaxed)) return;
    const int64_t row_task = task % b.row_tasks, rest = task / b.row_tasks;
    const size_t panel0 = static_cast<size_t>(rest % b.column_tasks) * b.panels_per_task;
    const size_t batch = static_cast<size_t>(rest / b.column_tasks);
    const size_t panel1 = std::min(b.layout.panels, panel0 + b.panels_per_task);
    const size_t weights = run.weights_of ? run.weights_of[batch] : batch;
    const int8_t* packed = run.packed + weights * run.packed_stride;
    QLinearParameters p = parameters;
    const size_t shift = weights * run.columns_stride;
    p.columns = {p.columns.bias + shift, p.columns.multiplier + shift, p.columns.float_bias + shift,
                 p.columns.w_zero + shift};
    const QGemmScratch scratch = split_thread_scratch(b, context.thread_scratch(thread));
    const size_t row_bytes = run.row_stride * element;

    const size_t step = direct && b.kernel->has(kPanels) ? panel1 - panel0 : 1;
    const size_t base = run.out_of ? run.out_of[batch] : batch * run.out_stride;
    QGemmTile tile;
    tile.rows = scratch.rows;
    tile.taps = b.layout.taps;
    tile.k = b.layout.k;
    tile.requantize = p.requantize;
    tile.store = direct && linear.output() == QLinearOutput::kBytes ? QGemmStore::kBytes : QGemmStore::kInt32;
    tile.c_stride = direct ? row_bytes : nr * sizeof(int32_t);
    tile.add = add;
    tile.row_bias = direct && row_bias ? scratch.row_bias : nullptr;
    tile.zipped = scratch.zipped;
    const int64_t end = std::min(b.tiles, (row_task + 1) * b.tiles_per_task);
    for (int64_t i = row_task * b.tiles_per_task; i < end; ++i) {
      const int64_t row = b.first_row(i);
      const size_t m = static_cast<size_t>(b.first_row(i + 1) - row);
      fill(batch, row, m, scratch.rows, thread);
      if (p.correct_rows) sum_rows(b, b.kernel->a_signed, m, scratch);
      if (tile.row_bias) bias_rows(b, p.columns.w_zero[0], m, scratch);

      const size_t first = base + static_cast<size_t>(row) * run.row_stride;
      uint8_t* out = run.out + first * element;
      tile.m = m;
      for (size_t panel = panel0; panel < panel1; panel += step) {
        const size_t column = panel * nr;
        tile.panel = packed + panel * b.layout.panel_bytes;
        tile.bias = p.columns.bias + column;
        tile.multiplier = p.columns.multiplier + column;
        tile.n = std::min(step * nr, b.layout.n - column);
        tile.c = direct ? static_cast<void*>(out + column * element) : scratch.tile;
        tile.residual = fused ? run.residual + first + column : nullptr;
        b.kernel->run(tile);
        if (!direct) finish_tile(b, linear, p, scratch, column, m, tile.n, out + column * element, row_bytes);
      }
      if (separate || p.table) {
        const size_t column = panel0 * nr, n = std::min(b.layout.n, panel1 * nr) - column;
        finish_bytes(p, out + column, separate ? separate + first + column : nullptr, m, n, row_bytes);
      }
    }
  });
}

}  // namespace octavo
