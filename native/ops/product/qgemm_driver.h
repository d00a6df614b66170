// The loop nest over kernel tiles of the quantized linear operators: tasks, row pointers, epilogue.
#pragma once

#include <algorithm>

#include "cpu/tuning.h"
#include "engine/op.h"
#include "kernels/qgemm/pack.h"
#include "ops/product/product_epilogue.h"

namespace octavo {

// Sizes of one product, and how it is cut into tasks. Depends on the shape and the caches alone.
struct QGemmBlocks {
  const QGemmKernel* kernel = nullptr;
  QGemmLayout layout;
  bool wide = false;                      // 16-bit activations: every row is one of upper and one of lower bytes
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
  size_t planes() const { return wide ? 2 : 1; }
  // Pointers to rows of one plane: [taps][mr].
  size_t row_pointers() const { return layout.taps * static_cast<size_t>(kernel->mr); }

 private:
  int64_t unit_ = 1;                           // rows
  int64_t tile_units_ = 0, longer_tiles_ = 0;  // the first tiles have a unit more
};

// The tensors of one run.
struct QGemmRun {
  const uint8_t* packed = nullptr;     // panels as memory holds them
  const uint8_t* zeros = nullptr;      // of weights of fewer than 8 bits, by column
  size_t packed_stride = 0;            // bytes from one batch to the next; 0: shared
  size_t columns_stride = 0;           // the same of the columns of the parameters, and of the zeros
  const size_t* weights_of = nullptr;  // [batches]: which weights a batch takes; null: its own
  uint8_t* out = nullptr;
  const uint8_t* residual = nullptr;
  size_t out_stride = 0;           // elements from one batch to the next
  const size_t* out_of = nullptr;  // [batches]: first element of a batch instead
  size_t row_stride = 0;           // elements from one row to the next
  const size_t* x_of = nullptr;  // [batches]: the matrix of x, whose rows may have scales of their own; null: the first
};

// What one thread needs while it runs a tile.
struct TileMemory {
  const uint8_t** rows;  // [planes][taps][mr]
  uint32_t* row_sums;    // [mr]
  int32_t* row_bias;     // [mr][kQGemmRowBias]
  int32_t* sums;         // [planes][mr][nr]
  uint8_t* interleaved;  // of kernels that interleave rows
  int32_t* row_zero;     // [mr]
  float* row_scale;      // [mr]
  int8_t* panels;        // of a task, unpacked
  const uint8_t** rest;  // [mr]: rows from a piece of k on
  double* wide_sums;     // [mr] of rows, where there are planes
  double* before;        // [mr][nr]: of planes, sums of all pieces but the last
};

class TileScratch {
 public:
  void add(ScratchPlan* plan, const QGemmBlocks& blocks);
  TileMemory in(void* block) const {
    return {rows_.in(block),        row_sums_.in(block),  row_bias_.in(block),  sums_.in(block),
            interleaved_.in(block), row_zero_.in(block),  row_scale_.in(block), panels_.in(block),
            rest_.in(block),        wide_sums_.in(block), before_.in(block)};
  }

 private:
  ScratchArray<const uint8_t*> rows_;
  ScratchArray<uint32_t> row_sums_;
  ScratchArray<int32_t> row_bias_, sums_, row_zero_;
  ScratchArray<uint8_t> interleaved_;
  ScratchArray<float> row_scale_;
  ScratchArray<int8_t> panels_;
  ScratchArray<const uint8_t*> rest_;
  ScratchArray<double> wide_sums_, before_;
};

// Rows from `count` on are the last one again.
inline void repeat_last_row(const QGemmBlocks& blocks, size_t count, const uint8_t** rows) {
  const size_t mr = static_cast<size_t>(blocks.kernel->mr);
  for (size_t tap = 0; count < mr && tap < blocks.layout.taps; ++tap, rows += mr)
    std::fill(rows + count, rows + mr, rows[count - 1]);
}

// Panels [first, last) as a kernel reads them, from what memory holds: `stored` and `zeros` are those of all panels.
const int8_t* unpack_panels(const QGemmLayout& layout, const uint8_t* stored, const uint8_t* zeros, size_t first,
                            size_t last, int8_t* panels);

// Whether a kernel unpacks panels itself, in registers: for more rows it is cheaper to unpack them once for all tiles.
bool reads_fours(const QGemmBlocks& blocks);

// Whether a product of one row takes panels of fewer than 8 bits in pieces of k: unpacked as a whole they would leave
// the first level cache before they are read.
bool in_pieces(const QGemmBlocks& blocks);
// Then: all but the last piece of a panel into the sums, with which the tile that is given back, of the last piece,
// begins.
QGemmTile run_pieces(const QGemmBlocks& blocks, const uint8_t* stored, const uint8_t* zeros, size_t panel,
                     const TileMemory& memory, const QGemmTile& tile);

// A tile of panels of 4 bits.
void run_fours(const QGemmBlocks& blocks, const uint8_t* zeros, size_t panel, const QGemmTile& tile);

// The sum over all taps of every row of a tile: what remains of a weight zero point is subtracted that often.
void sum_rows(const QGemmBlocks& blocks, size_t count, const TileMemory& memory);
// The same as what a kernel adds, where all columns have one zero point.
void bias_rows(const QGemmBlocks& blocks, int32_t w_zero, size_t count, const TileMemory& memory);
// Sums of all taps of every row of a tile of planes, from those of its bytes.
void sum_wide_rows(const QGemmBlocks& blocks, size_t count, const TileMemory& memory);
// The products of both planes with a panel, in as many pieces as keep every sum of bytes exact in int32.
WideSums multiply_planes(const QGemmBlocks& blocks, const TileMemory& memory, const QGemmTile& tile);
// Scales and zero points of rows [first, first + count) of x.
void describe_rows(const ProductRows& rows, size_t first, size_t count, const TileMemory& memory);

// fill(batch, row, count, rows, thread, plane) sets rows[tap * mr + r] for r < mr; those from `count` on repeat a valid
// row. Plane 1 is that of the lower bytes of 16-bit activations.
template <class Fill>
void run_qgemm(RunContext& context, const QGemmBlocks& b, const TileScratch& scratch, const QGemmRun& run,
               const ProductEpilogue& epilogue, Fill&& fill) {
  const size_t nr = b.layout.nr, element = bytes_of(epilogue.output);
  const bool per_row = epilogue.rows.any();
  const bool row_bias = epilogue.correct_rows && epilogue.same_w_zero && b.kernel->has(kRowBias);
  // Whether the kernel writes the output itself.
  const bool direct = (!epilogue.correct_rows || row_bias) && !per_row && !b.wide &&
                      (epilogue.output == ProductOutput::kBytes || epilogue.output == ProductOutput::kInt32);
  const bool fused = direct && run.residual && b.kernel->has(kAddsResidual);
  const uint8_t* separate = fused ? nullptr : run.residual;
  const ResidualAdd add = residual_add(epilogue.residual);
  context.pool().for_each(b.tasks(), [&](int64_t task, int thread) {
    if (context.cancelled().load(std::memory_order_relaxed)) return;
    const int64_t row_task = task % b.row_tasks, rest = task / b.row_tasks;
    const size_t panel0 = static_cast<size_t>(rest % b.column_tasks) * b.panels_per_task;
    const size_t batch = static_cast<size_t>(rest / b.column_tasks);
    const size_t panel1 = std::min(b.layout.panels, panel0 + b.panels_per_task);
    const size_t weights = run.weights_of ? run.weights_of[batch] : batch;
    ProductEpilogue e = epilogue;
    e.columns = e.columns.from(weights * run.columns_stride);
    const TileMemory memory = scratch.in(context.thread_scratch(thread));
    const uint8_t* const stored = run.packed + weights * run.packed_stride;
    const uint8_t* const zeros = run.zeros ? run.zeros + weights * run.columns_stride : nullptr;
    const bool fours = reads_fours(b), pieces = !fours && in_pieces(b);
    const int8_t* const panels = fours    ? reinterpret_cast<const int8_t*>(stored + panel0 * b.layout.stored_bytes)
                                 : pieces ? memory.panels
                                          : unpack_panels(b.layout, stored, zeros, panel0, panel1, memory.panels);
    const size_t row_bytes = run.row_stride * element;

    const size_t step = direct && b.kernel->has(kPanels) && !pieces ? panel1 - panel0 : 1;
    const size_t base = run.out_of ? run.out_of[batch] : batch * run.out_stride;
    const size_t first_x = run.x_of ? run.x_of[batch] * static_cast<size_t>(b.rows) : 0;
    SumTile sums;
    sums.sums = memory.sums, sums.stride = nr;
    sums.row_sums = memory.row_sums, sums.row_zero = memory.row_zero, sums.row_scale = memory.row_scale;
    QGemmTile tile;
    tile.operands.rows = memory.rows;
    tile.operands.taps = b.layout.taps;
    tile.operands.k = b.layout.k;
    tile.epilogue.requantize = e.requantize;
    tile.epilogue.store = direct && epilogue.output == ProductOutput::kBytes ? QGemmStore::kBytes : QGemmStore::kInt32;
    tile.epilogue.c_stride = direct ? row_bytes : nr * sizeof(int32_t);
    tile.epilogue.add = add;
    tile.epilogue.row_bias = direct && row_bias ? memory.row_bias : nullptr;
    tile.operands.interleaved = memory.interleaved;
    const int64_t end = std::min(b.tiles, (row_task + 1) * b.tiles_per_task);
    for (int64_t i = row_task * b.tiles_per_task; i < end; ++i) {
      const int64_t row = b.first_row(i);
      const size_t m = static_cast<size_t>(b.first_row(i + 1) - row);
      for (size_t plane = 0; plane < b.planes(); ++plane)
        fill(batch, row, m, memory.rows + plane * b.row_pointers(), thread, plane);
      if (e.correct_rows && b.wide) sum_wide_rows(b, m, memory);
      else if (e.correct_rows) sum_rows(b, m, memory);
      if (tile.epilogue.row_bias) bias_rows(b, e.columns.w_zero[0], m, memory);
      if (per_row) describe_rows(e.rows, first_x + static_cast<size_t>(row), m, memory);

      const size_t first = base + static_cast<size_t>(row) * run.row_stride;
      uint8_t* out = run.out + first * element;
      tile.m = sums.m = m;
      for (size_t panel = panel0; panel < panel1; panel += step) {
        const size_t column = panel * nr;
        tile.operands.panel = panels + (panel - panel0) * (fours ? b.layout.stored_bytes : b.layout.panel_bytes);
        tile.epilogue.bias = e.columns.bias + column;
        tile.epilogue.multiplier = e.columns.multiplier + column;
        tile.n = sums.n = std::min(step * nr, b.layout.n - column);
        tile.epilogue.c = direct ? static_cast<void*>(out + column * element) : memory.sums;
        tile.epilogue.residual = fused ? run.residual + first + column : nullptr;
        if (b.wide) {
          finish_wide(e, column, multiply_planes(b, memory, tile), out + column * element, row_bytes);
          continue;
        }
        if (pieces) b.kernel->run(run_pieces(b, stored, zeros, panel, memory, tile));
        else if (fours) run_fours(b, zeros, panel, tile);
        else b.kernel->run(tile);
        if (!direct) finish_tile(e, column, sums, out + column * element, row_bytes);
      }
      if (separate || e.table) {
        const size_t column = panel0 * nr, n = std::min(b.layout.n, panel1 * nr) - column;
        finish_bytes(e, out + column, separate ? separate + first + column : nullptr, m, n, row_bytes);
      }
    }
  });
}

}  // namespace octavo
