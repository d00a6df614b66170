// The loop nest over tiles of products of signs, as qgemm_driver.h has it for bytes: rows of activations become bits,
// tiles of sums go through the epilogue.
#pragma once

#include <algorithm>
#include <atomic>

#include "ops/product/bit_weights.h"
#include "ops/product/product_epilogue.h"

namespace octavo {

// Rows of activations as bits: [rows][groups] of `words` words each, and what they add up to.
struct BitImage {
  const uint32_t *positive, *nonzero;
  const int32_t *present, *sums;  // [rows][groups]
  bool has_zeros;                 // some element is 0
};

// Memory of an image; `rows` of `groups` times k bytes, one after the other.
class BitImageScratch {
 public:
  // One row more than there are: of zeros, for the border of an image.
  void add(ScratchPlan* plan, const BitWeights& weights, int64_t rows);
  // The bits of x.
  BitImage pack(RunContext& c, const BitWeights& weights, const uint8_t* x, bool is_signed, void* shared) const;

 private:
  int64_t rows_ = 0;
  ScratchArray<uint32_t> positive_, nonzero_;
  ScratchArray<int32_t> present_, sums_;
};

// What one thread needs while it runs a tile.
struct BitTileMemory {
  const uint32_t **rows, **masks;  // [taps][mr]
  int32_t* present;                // [mr]
  uint32_t* row_sums;              // [mr]
  int32_t* sums;                   // [mr][nr]
};

class BitTileScratch {
 public:
  void add(ScratchPlan* plan, const BitWeights& weights);
  BitTileMemory in(void* block) const {
    return {rows_.in(block), masks_.in(block), present_.in(block), row_sums_.in(block), sums_.in(block)};
  }

 private:
  ScratchArray<const uint32_t*> rows_, masks_;
  ScratchArray<int32_t> present_, sums_;
  ScratchArray<uint32_t> row_sums_;
};

// How a product of `rows` rows is cut into tasks; depends on the sizes alone.
struct BitTasks {
  int64_t rows = 0, tiles_per_task = 1, row_tasks = 0;
  size_t panels_per_task = 1, column_tasks = 0;

  BitTasks() = default;
  BitTasks(const BitWeights& weights, int64_t rows);
};

// fill(group, row, count, memory) sets what `memory` has of rows but their sums; true: masks count. Rows from `count`
// on repeat a valid one.
template <class Fill>
void run_bits(RunContext& context, const BitWeights& w, const BitTasks& b, const BitTileScratch& scratch,
              const ProductEpilogue& epilogue, const uint8_t* residual, uint8_t* out, Fill&& fill) {
  const size_t element = bytes_of(epilogue.output), row_elements = w.groups * w.n, columns = w.panels * w.nr();
  const size_t row_bytes = row_elements * element;
  const int64_t mr = w.kernel->mr, groups = static_cast<int64_t>(w.groups);
  const int64_t tasks = b.row_tasks * static_cast<int64_t>(b.column_tasks) * groups;
  context.pool().for_each(tasks, [&](int64_t task, int thread) {
    if (context.cancelled().load(std::memory_order_relaxed)) return;
    const int64_t row_task = task % b.row_tasks, rest = task / b.row_tasks;
    const size_t group = static_cast<size_t>(rest % groups);
    const size_t panel0 = static_cast<size_t>(rest / groups) * b.panels_per_task,
                 panel1 = std::min(w.panels, panel0 + b.panels_per_task);
    const BitTileMemory memory = scratch.in(context.thread_scratch(thread));
    ProductEpilogue e = epilogue;
    e.columns = e.columns.from(group * columns);
    SumTile sums;
    sums.sums = memory.sums, sums.stride = w.nr(), sums.row_sums = memory.row_sums;
    BitTile tile{memory.rows, nullptr, w.taps, w.words, nullptr, nullptr, memory.present, memory.sums};
    const int64_t end = std::min(b.rows, (row_task + 1) * b.tiles_per_task * mr);
    for (int64_t row = row_task * b.tiles_per_task * mr; row < end; row += mr) {
      sums.m = static_cast<size_t>(std::min(mr, end - row));
      tile.masks = fill(group, row, sums.m, memory) ? memory.masks : nullptr;
      const size_t first = static_cast<size_t>(row) * row_elements + group * w.n;
      for (size_t panel = panel0; panel < panel1; ++panel) {
        const size_t column = panel * w.nr();
        tile.panel = w.panel(group, panel);
        tile.bias = e.columns.bias + column;
        sums.n = std::min(w.nr(), w.n - column);
        w.kernel->run(tile);
        finish_tile(e, column, sums, out + (first + column) * element, row_bytes);
      }
      if (residual == nullptr && e.table == nullptr) continue;
      const size_t column = panel0 * w.nr(), n = std::min(w.n, panel1 * w.nr()) - column;
      finish_bytes(e, out + first + column, residual ? residual + first + column : nullptr, sums.m, n, row_bytes);
    }
  });
}

// A run of a product: the epilogue, the bits of its activations, and the tiles. fill(image, with_sums, group, row,
// count, memory) is that of run_bits; with_sums: the epilogue reads the sums of rows.
template <class Fill>
Status run_bit_product(RunContext& c, const ProductOperands& operands, const BitWeights& w, const BitTasks& tasks,
                       const BitImageScratch& bits, const BitTileScratch& tile, Fill&& fill) {
  if (tasks.rows == 0 || w.n == 0) return Status::Ok();
  ProductEpilogue epilogue;
  OCTAVO_RETURN_IF_ERROR(w.folded.epilogue(c, operands, w.folded.shape, {}, &epilogue));
  const BitImage image =
      bits.pack(c, w, c.in<uint8_t>(ProductInput::kX), operands.x_format().is_signed, c.shared_scratch());
  const uint8_t* residual = operands.has_residual() ? c.in<uint8_t>(ProductInput::kResidual) : nullptr;
  run_bits(c, w, tasks, tile, epilogue, residual, c.out<uint8_t>(0),
           [&](size_t group, int64_t row, size_t m, const BitTileMemory& to) {
             return fill(image, epilogue.correct_rows, group, row, m, to);
           });
  return Status::Ok();
}

}  // namespace octavo
