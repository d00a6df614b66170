#include "ops/product/bit_driver.h"

#include "ops/support/rounding.h"

namespace octavo {
namespace {

// Below this many products a task costs more to hand out than to run.
constexpr double kTaskProducts = 4.0 * 1024.0 * 1024.0;
// Bytes of x that a task packs.
constexpr int64_t kPackedBytes = 32768;

}  // namespace

void BitImageScratch::add(ScratchPlan* plan, const BitWeights& w, int64_t rows) {
  rows_ = rows;
  const size_t most = SIZE_MAX;  // what overflows does not fit
  size_t pieces = 0, words = 0;
  if (__builtin_mul_overflow(static_cast<size_t>(rows) + 1, w.groups, &pieces) ||
      __builtin_mul_overflow(pieces, w.words, &words))
    pieces = words = most;
  positive_ = plan->add<uint32_t>(words);
  nonzero_ = plan->add<uint32_t>(words);
  present_ = plan->add<int32_t>(pieces);
  sums_ = plan->add<int32_t>(pieces);
}

BitImage BitImageScratch::pack(RunContext& c, const BitWeights& w, const uint8_t* x, bool is_signed,
                               void* shared) const {
  uint32_t *positive = positive_.in(shared), *nonzero = nonzero_.in(shared);
  int32_t *present = present_.in(shared), *sums = sums_.in(shared);
  const uint8_t flip = is_signed ? 0x80 : 0;
  const uint8_t zero = static_cast<uint8_t>(w.x_zero) ^ flip;
  const int64_t pieces = rows_ * static_cast<int64_t>(w.groups), k = static_cast<int64_t>(w.k);
  const int64_t step = std::max<int64_t>(1, kPackedBytes / std::max<int64_t>(1, k));
  std::atomic<bool> has_zeros{false};
  c.pool().for_each(divide_up(pieces, step), [&](int64_t task, int) {
    const size_t first = static_cast<size_t>(task * step),
                 count = static_cast<size_t>(std::min(step, pieces - task * step));
    w.kernel->pack({x + first * w.k, w.k, count, w.k, flip, zero, w.words, positive + first * w.words,
                    nonzero + first * w.words, present + first, sums + first});
    const int32_t all = static_cast<int32_t>(w.k);
    if (std::any_of(present + first, present + first + count, [=](int32_t some) { return some != all; }))
      has_zeros.store(true, std::memory_order_relaxed);
  });
  const size_t border = static_cast<size_t>(pieces);
  std::fill_n(positive + border * w.words, w.groups * w.words, 0u);
  std::fill_n(nonzero + border * w.words, w.groups * w.words, 0u);
  std::fill_n(present + border, w.groups, 0);
  std::fill_n(sums + border, w.groups, 0);
  return {positive, nonzero, present, sums, has_zeros.load(std::memory_order_relaxed)};
}

void BitTileScratch::add(ScratchPlan* plan, const BitWeights& w) {
  const size_t mr = static_cast<size_t>(w.kernel->mr);
  size_t pointers = 0;
  if (__builtin_mul_overflow(mr, w.taps, &pointers)) pointers = SIZE_MAX;
  rows_ = plan->add<const uint32_t*>(pointers);
  masks_ = plan->add<const uint32_t*>(pointers);
  present_ = plan->add<int32_t>(mr);
  row_sums_ = plan->add<uint32_t>(mr);
  sums_ = plan->add<int32_t>(mr * w.nr());
}

BitTasks::BitTasks(const BitWeights& w, int64_t all) : rows(all) {
  const double panel = static_cast<double>(w.taps * w.words) * 32.0 * static_cast<double>(w.nr());
  const int64_t mr = w.kernel->mr, tiles = divide_up(rows, mr);
  panels_per_task = std::max<size_t>(w.panels, 1);
  // Few rows: cut the columns, while a task is worth it.
  while (panels_per_task > 1 && tiles < 16 &&
         panel * static_cast<double>(panels_per_task) * static_cast<double>(std::min(rows, mr)) > kTaskProducts)
    panels_per_task = (panels_per_task + 1) / 2;
  const double tile = panel * static_cast<double>(panels_per_task) * static_cast<double>(mr);
  tiles_per_task = std::clamp<int64_t>(tile > 0 ? static_cast<int64_t>(kTaskProducts / tile) + 1 : 64, 1, 64);
  row_tasks = divide_up(tiles, tiles_per_task);
  column_tasks = w.n == 0 ? 0 : (w.panels + panels_per_task - 1) / panels_per_task;
}

}  // namespace octavo
