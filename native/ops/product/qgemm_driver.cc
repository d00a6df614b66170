#include "ops/product/qgemm_driver.h"

#include "ops/support/rounding.h"

namespace octavo {
namespace {

// Below this many products a task costs more to hand out than to run (about 2 us on one core with VNNI).
constexpr double kTaskProducts = 512.0 * 1024.0;
// Tiles that share panels which a task unpacks: that costs as much as a sixth of a tile with VNNI.
constexpr int64_t kTilesOfUnpacked = 16;
// Tasks wanted of a product that is big enough, so that up to eight cores have two each.
constexpr int64_t kWantedTasks = 16;

}  // namespace

void QGemmBlocks::plan(const Tuning& tuning) {
  const int64_t mr = kernel->mr;
  tiles = divide_up(rows, mr);
  // Kernels of one panel keep tiles of mr rows: lower ones brought nothing with VNNI.
  unit_ = kernel->has(kInterleavesRows) ? 2 : kernel->has(kPanels) ? 1 : mr;
  const int64_t units = divide_up(rows, unit_);
  tile_units_ = units / std::max<int64_t>(tiles, 1), longer_tiles_ = units % std::max<int64_t>(tiles, 1);
  const size_t panels = std::max<size_t>(layout.panels, 1);
  const int64_t least_tiles = layout.bits < 8 ? kTilesOfUnpacked : 1;
  panels_per_task = std::clamp<size_t>(tuning.l2_bytes / 2 / std::max<size_t>(layout.panel_bytes, 1), 1, panels);
  const double products_of_row =
      static_cast<double>(layout.k) * static_cast<double>(layout.taps) * static_cast<double>(layout.nr);
  const auto tiles_for = [&](size_t p) {
    const double tile = products_of_row * static_cast<double>(p) * static_cast<double>(mr);
    const double wanted = tile > 0 ? kTaskProducts / tile : 64;
    return std::clamp<int64_t>(static_cast<int64_t>(wanted + 1), least_tiles, 64);
  };
  const auto cut = [&] {
    tiles_per_task = tiles_for(panels_per_task);
    row_tasks = divide_up(tiles, tiles_per_task);
    column_tasks = layout.n == 0 ? 0 : divide_up(static_cast<int64_t>(panels), static_cast<int64_t>(panels_per_task));
  };
  cut();
  // Few rows: cut the columns too, while a task is worth it.
  while (tasks() > 0 && tasks() < kWantedTasks && panels_per_task > 1 &&
         products_of_row * static_cast<double>(panels_per_task) * static_cast<double>(std::min(rows, mr)) >
             kTaskProducts) {
    panels_per_task = (panels_per_task + 1) / 2;
    cut();
  }
}

void TileScratch::add(ScratchPlan* plan, const QGemmBlocks& b) {
  const size_t mr = static_cast<size_t>(b.kernel->mr), taps = b.layout.taps;
  const size_t most = SIZE_MAX;  // what overflows does not fit
  size_t pointers = 0, interleaved = 0;
  if (__builtin_mul_overflow(mr, taps, &pointers)) pointers = most;
  if (b.kernel->has(kInterleavesRows) &&
      (b.layout.k > PTRDIFF_MAX / 4 || __builtin_mul_overflow(round_up(b.layout.k, 16), pointers, &interleaved)))
    interleaved = most;
  const size_t planes = b.planes();
  if (__builtin_mul_overflow(pointers, planes, &pointers)) pointers = most;
  rows_ = plan->add<const uint8_t*>(pointers);
  row_sums_ = plan->add<uint32_t>(mr);
  row_bias_ = plan->add<int32_t>(mr * kQGemmRowBias);
  sums_ = plan->add<int32_t>(planes * mr * b.layout.nr);
  interleaved_ = plan->add<uint8_t>(interleaved);
  row_zero_ = plan->add<int32_t>(mr);
  row_scale_ = plan->add<float>(mr);
  size_t panels = 0;
  if (b.layout.bits < 8 && (__builtin_mul_overflow(b.layout.panel_bytes, b.panels_per_task, &panels) ||
                            __builtin_add_overflow(panels, kQUnpackBlock, &panels)))
    panels = most;
  panels_ = plan->add<int8_t>(panels, kReadSlack);
  rest_ = plan->add<const uint8_t*>(b.layout.bits < 8 || b.wide ? mr : 0);
  wide_sums_ = plan->add<double>(b.wide ? mr : 0);
  before_ = plan->add<double>(b.wide ? mr * b.layout.nr : 0);
}

namespace {

// Tiles of which a kernel unpacks levels itself: more share what is unpacked once.
constexpr int64_t kTilesOfFours = 8;
// Of a panel, unpacked: half of a first level cache.
constexpr size_t kPieceBytes = 16384;
// Products of bytes, at most 255 * 128 each, whose sum fits in int32; whole steps of every kernel.
constexpr size_t kExactDepth = 65792 / 128 * 128;

}  // namespace

const int8_t* unpack_panels(const QGemmLayout& l, const uint8_t* stored, const uint8_t* zeros, size_t first,
                            size_t last, int8_t* panels) {
  stored += first * l.stored_bytes;
  if (l.bits == 8) return reinterpret_cast<const int8_t*>(stored);
  const QUnpackFunction unpack = qunpack_kernels().of(l.bits);
  // In order: a panel that ends within a block is followed by the next one's beginning.
  for (size_t panel = first; panel < last; ++panel, stored += l.stored_bytes)
    unpack(stored, RepeatedZeros(l, zeros + panel * l.nr).of_block, qunpack_blocks(l.panel_bytes),
           panels + (panel - first) * l.panel_bytes);
  return panels;
}

bool reads_fours(const QGemmBlocks& b) {
  return b.layout.bits == 4 && b.kernel->fours != nullptr && !b.wide && b.tiles <= kTilesOfFours;
}

void run_fours(const QGemmBlocks& b, const uint8_t* zeros, size_t panel, const QGemmTile& tile) {
  const RepeatedZeros repeated(b.layout, zeros + panel * b.layout.nr);
  QGemmTile fours = tile;
  fours.operands.zeros = repeated.of_block;
  b.kernel->fours(fours);
}

bool in_pieces(const QGemmBlocks& b) {
  return b.layout.bits < 8 && !b.wide && b.rows == 1 && b.layout.taps == 1 && b.layout.panel_bytes > kPieceBytes;
}

QGemmTile run_pieces(const QGemmBlocks& b, const uint8_t* stored, const uint8_t* zeros, size_t panel,
                     const TileMemory& memory, const QGemmTile& tile) {
  const QGemmLayout& l = b.layout;
  const QUnpackFunction unpack = qunpack_kernels().of(l.bits);
  const RepeatedZeros repeated(l, zeros + panel * l.nr);
  // Whole blocks and whole steps of every kernel: rows are read, but nothing beyond a piece is multiplied.
  const size_t step = std::max<size_t>(kPieceBytes / l.nr / 128, 1) * 128;
  const uint8_t* from = stored + panel * l.stored_bytes;
  const uint8_t* rows[kQGemmMaxRows];
  std::copy_n(memory.rows, b.kernel->mr, rows);
  QGemmTile piece = tile;
  piece.operands.rows = rows;
  piece.operands.panel = memory.panels;
  piece.operands.k = step;
  piece.epilogue.store = QGemmStore::kInt32;
  piece.epilogue.residual = nullptr;
  piece.epilogue.c = memory.sums;
  piece.epilogue.c_stride = l.nr * sizeof(int32_t);
  size_t k = 0;
  for (; k + step < l.k; k += step) {
    unpack(from, repeated.of_block, step * l.nr / kQUnpackBlock, memory.panels);
    from += step * l.nr / kQUnpackBlock * qunpack_bytes(l.bits);
    b.kernel->run(piece);
    piece.epilogue.bias = memory.sums;
    piece.epilogue.row_bias = nullptr;
    for (int r = 0; r < b.kernel->mr; ++r) rows[r] += step;
  }
  unpack(from, repeated.of_block, qunpack_blocks(l.panel_bytes - k * l.nr), memory.panels);
  // Apart from the rows of the tile, which the next panel starts with again.
  std::copy_n(rows, b.kernel->mr, memory.rest);
  QGemmTile last = tile;
  last.operands.rows = memory.rest;
  last.operands.panel = memory.panels;
  last.operands.k = l.k - k;
  last.epilogue.bias = piece.epilogue.bias;
  last.epilogue.row_bias = piece.epilogue.row_bias;
  return last;
}

void sum_rows(const QGemmBlocks& b, size_t count, const TileMemory& memory) {
  const size_t mr = static_cast<size_t>(b.kernel->mr);
  const auto sum = q8_kernels().sum;
  for (size_t r = 0; r < count; ++r) {
    uint32_t total = 0;
    for (size_t tap = 0; tap < b.layout.taps; ++tap)
      total +=
          static_cast<uint32_t>(sum(memory.rows[tap * mr + r], b.kernel->a_signed(), static_cast<int64_t>(b.layout.k)));
    memory.row_sums[r] = total;
  }
}

void sum_wide_rows(const QGemmBlocks& b, size_t count, const TileMemory& memory) {
  const size_t mr = static_cast<size_t>(b.kernel->mr);
  const auto sum = q8_kernels().sum;
  std::fill_n(memory.wide_sums, count, 0.0);
  for (size_t plane = 0; plane < 2; ++plane)
    for (size_t tap = 0; tap < b.layout.taps; ++tap)
      for (size_t r = 0; r < count; ++r) {
        const uint8_t* row = memory.rows[plane * b.row_pointers() + tap * mr + r];
        for (size_t k = 0; k < b.layout.k; k += kExactDepth) {
          const size_t length = std::min(kExactDepth, b.layout.k - k);
          const double part = sum(row + k, b.kernel->a_signed(), static_cast<int64_t>(length));
          memory.wide_sums[r] += plane == 0 ? 256 * part : part;
        }
      }
}

WideSums multiply_planes(const QGemmBlocks& b, const TileMemory& memory, const QGemmTile& tile) {
  const QGemmLayout& l = b.layout;
  const size_t mr = static_cast<size_t>(b.kernel->mr), tap_bytes = l.panel_bytes / std::max<size_t>(l.taps, 1);
  const size_t taps = std::clamp<size_t>(kExactDepth / std::max<size_t>(l.k, 1), 1, std::max<size_t>(l.taps, 1));
  const size_t step = std::min(std::max<size_t>(l.k, 1), kExactDepth);
  WideSums sums;
  sums.high = memory.sums, sums.low = memory.sums + mr * l.nr;
  sums.stride = l.nr, sums.m = tile.m, sums.n = tile.n, sums.row_sums = memory.wide_sums;
  QGemmTile piece = tile;
  for (size_t tap = 0; tap < std::max<size_t>(l.taps, 1); tap += taps)
    for (size_t k = 0; k < std::max<size_t>(l.k, 1); k += step) {
      if (tap + k > 0) {
        const bool first = sums.before == nullptr;
        for (size_t i = 0; i < tile.m * l.nr; ++i)
          memory.before[i] = (first ? 0 : memory.before[i]) + 256.0 * sums.high[i] + sums.low[i];
        sums.before = memory.before;
      }
      piece.operands.taps = std::min(taps, l.taps - tap);
      piece.operands.k = std::min(step, l.k - k);
      piece.operands.panel = tile.operands.panel + tap * tap_bytes + k * l.nr;
      for (size_t plane = 0; plane < 2; ++plane) {
        const uint8_t** rows = memory.rows + plane * b.row_pointers() + tap * mr;
        if (k > 0)
          for (size_t r = 0; r < mr; ++r) memory.rest[r] = rows[r] + k;
        piece.operands.rows = k > 0 ? memory.rest : rows;
        piece.epilogue.c = memory.sums + plane * mr * l.nr;
        b.kernel->run(piece);
      }
    }
  return sums;
}

void bias_rows(const QGemmBlocks& b, int32_t w_zero, size_t count, const TileMemory& memory) {
  const size_t mr = static_cast<size_t>(b.kernel->mr);
  for (size_t r = 0; r < mr; ++r) {
    const uint32_t taken = r < count ? memory.row_sums[r] * static_cast<uint32_t>(w_zero) : 0;
    std::fill_n(memory.row_bias + r * kQGemmRowBias, kQGemmRowBias, static_cast<int32_t>(0 - taken));
  }
}

void describe_rows(const ProductRows& rows, size_t first, size_t count, const TileMemory& memory) {
  for (size_t r = 0; r < count; ++r) {
    memory.row_zero[r] = rows.zero_of(first + r);
    memory.row_scale[r] = rows.scale_of(first + r);
  }
}

}  // namespace octavo
