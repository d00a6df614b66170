#include "ops/product/qgemm_driver.h"

#include <cmath>

#include "kernels/finish/finish.h"

namespace octavo {
namespace {

// Below this many products a task costs more to hand out than to run (about 2 us on one core with VNNI).
constexpr double kTaskProducts = 512.0 * 1024.0;
// Tasks wanted of a product that is big enough, so that up to eight cores have two each.
constexpr int64_t kWantedTasks = 16;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
size_t round_up(size_t a, size_t b) { return (a + b - 1) / b * b; }

}  // namespace

void QGemmBlocks::plan(const Tuning& tuning) {
  const int64_t mr = kernel->mr;
  tiles = divide_up(rows, mr);
  // Kernels of one panel keep tiles of mr rows: lower ones brought nothing with VNNI.
  unit_ = kernel->has(kZips) ? 2 : kernel->has(kPanels) ? 1 : mr;
  const int64_t units = divide_up(rows, unit_);
  tile_units_ = units / std::max<int64_t>(tiles, 1), longer_tiles_ = units % std::max<int64_t>(tiles, 1);
  const size_t panels = std::max<size_t>(layout.panels, 1);
  panels_per_task = std::clamp<size_t>(tuning.l2_bytes / 2 / std::max<size_t>(layout.panel_bytes, 1), 1, panels);
  const double products_of_row =
      static_cast<double>(layout.k) * static_cast<double>(layout.taps) * static_cast<double>(layout.nr);
  const auto tiles_for = [&](size_t p) {
    const double tile = products_of_row * static_cast<double>(p) * static_cast<double>(mr);
    const double wanted = tile > 0 ? kTaskProducts / tile : 64;
    return std::clamp<int64_t>(static_cast<int64_t>(wanted + 1), 1, 64);
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

bool QGemmBlocks::thread_bytes(size_t* bytes) const {
  const size_t mr = static_cast<size_t>(kernel->mr);
  size_t pointers = 0, zipped = 0;
  if (__builtin_mul_overflow(mr * sizeof(void*), layout.taps, &pointers) || pointers > PTRDIFF_MAX / 4) return false;
  if (kernel->has(kZips) &&
      (layout.k > PTRDIFF_MAX / 4 || __builtin_mul_overflow(round_up(layout.k, 16) * mr, layout.taps, &zipped) ||
       zipped > PTRDIFF_MAX / 4))
    return false;
  *bytes = round_up(pointers, 64) + round_up(mr * sizeof(uint32_t), 64) +
           round_up(mr * kQGemmRowBias * sizeof(int32_t), 64) + round_up(mr * layout.nr * sizeof(int32_t), 64) + zipped;
  return true;
}

QGemmScratch split_thread_scratch(const QGemmBlocks& b, void* memory) {
  const size_t mr = static_cast<size_t>(b.kernel->mr);
  auto* bytes = static_cast<uint8_t*>(memory);
  uint8_t* sums = bytes + round_up(mr * sizeof(void*) * b.layout.taps, 64);
  uint8_t* biases = sums + round_up(mr * sizeof(uint32_t), 64);
  uint8_t* tile = biases + round_up(mr * kQGemmRowBias * sizeof(int32_t), 64);
  uint8_t* zipped = tile + round_up(mr * b.layout.nr * sizeof(int32_t), 64);
  return {reinterpret_cast<const uint8_t**>(bytes), reinterpret_cast<uint32_t*>(sums),
          reinterpret_cast<int32_t*>(biases), reinterpret_cast<int32_t*>(tile), zipped};
}

void sum_rows(const QGemmBlocks& b, bool a_signed, size_t count, const QGemmScratch& scratch) {
  const size_t mr = static_cast<size_t>(b.kernel->mr);
  const auto sum = q8_kernels().sum;
  for (size_t r = 0; r < count; ++r) {
    uint32_t total = 0;
    for (size_t tap = 0; tap < b.layout.taps; ++tap)
      total += static_cast<uint32_t>(sum(scratch.rows[tap * mr + r], a_signed, static_cast<int64_t>(b.layout.k)));
    scratch.row_sums[r] = total;
  }
}

void bias_rows(const QGemmBlocks& b, int32_t w_zero, size_t count, const QGemmScratch& scratch) {
  const size_t mr = static_cast<size_t>(b.kernel->mr);
  for (size_t r = 0; r < mr; ++r) {
    const uint32_t taken = r < count ? scratch.row_sums[r] * static_cast<uint32_t>(w_zero) : 0;
    std::fill_n(scratch.row_bias + r * kQGemmRowBias, kQGemmRowBias, static_cast<int32_t>(0 - taken));
  }
}

void finish_tile(const QGemmBlocks& b, const QLinear& linear, const QLinearParameters& p, const QGemmScratch& scratch,
                 size_t column, size_t m, size_t n, uint8_t* out, size_t row_bytes) {
  const FinishTile tile = {scratch.tile,
                           b.layout.nr,
                           m,
                           n,
                           p.correct_rows ? scratch.row_sums : nullptr,
                           p.columns.w_zero + column,
                           p.columns.multiplier + column,
                           linear.float_bias() ? p.columns.float_bias + column : nullptr,
                           p.requantize,
                           out,
                           row_bytes};
  const FinishKernels& kernels = finish_kernels();
  switch (linear.output()) {
    case QLinearOutput::kBytes: return kernels.bytes(tile);
    case QLinearOutput::kFloat: return kernels.floats(tile);
    case QLinearOutput::kInt32: return kernels.words(tile);
  }
}

ResidualAdd residual_add(const Q8Binary& p) {
  const int32_t odd = p.zy & 1, even = p.zy - odd;
  const float largest = 512 * (std::abs(p.ra) + std::abs(p.rb));
  const bool small = largest < 1e9f, words = largest < static_cast<float>(Requantize::kWordBound);
  return {p.ra,
          p.rb,
          static_cast<float>(odd),
          static_cast<float>(p.qmin - even),
          static_cast<float>(p.qmax - even),
          p.zb,
          even,
          p.b_signed,
          small,
          words};
}

void finish_bytes(const QLinearParameters& p, uint8_t* out, const uint8_t* residual, size_t m, size_t n,
                  size_t row_bytes) {
  // The elementwise kernels do not write where they read: through a buffer that stays in the first level cache.
  constexpr size_t kChunk = 256;
  alignas(64) uint8_t before[kChunk + kReadSlack] = {};
  const Q8Kernels& q8 = q8_kernels();
  for (size_t r = 0; r < m; ++r)
    for (size_t i = 0; i < n; i += kChunk) {
      const size_t count = std::min(kChunk, n - i);
      uint8_t* to = out + r * row_bytes + i;
      if (residual) {
        std::memcpy(before, to, count);
        q8.add(p.residual, before, residual + r * row_bytes + i, to, static_cast<int64_t>(count));
      }
      if (p.table) {
        std::memcpy(before, to, count);
        q8.lookup(before, to, static_cast<int64_t>(count), p.table);
      }
    }
}

}  // namespace octavo
