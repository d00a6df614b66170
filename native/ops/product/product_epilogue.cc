#include "ops/product/product_epilogue.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/finish/finish.h"

namespace octavo {

namespace {

// What tiles of either kind of sums have in common.
template <class Tile, class Sums>
Tile tile_of(const ProductEpilogue& e, const ProductColumns& c, const Sums& sums, uint8_t* out, size_t row_bytes) {
  Tile tile;
  tile.m = sums.m, tile.n = sums.n;
  if (e.correct_rows) tile.row_sums = sums.row_sums, tile.w_zero = c.w_zero;
  tile.multiplier = c.multiplier;
  if (e.has_float_bias) tile.bias = c.float_bias;
  tile.requantize = e.requantize;
  tile.out = out, tile.row_bytes = row_bytes;
  return tile;
}

}  // namespace

void finish_tile(const ProductEpilogue& e, size_t column, const SumTile& sums, uint8_t* out, size_t row_bytes) {
  const ProductColumns c = e.columns.from(column);
  FinishTile tile = tile_of<FinishTile>(e, c, sums, out, row_bytes);
  tile.acc = sums.sums, tile.acc_stride = sums.stride;
  if (e.rows.any())
    tile.row_zero = sums.row_zero, tile.net_sum = c.net_sum, tile.row_scale = sums.row_scale, tile.order = e.rows.order;
  const FinishKernels& kernels = finish_kernels();
  switch (e.output) {
    case ProductOutput::kBytes: return kernels.bytes(tile);
    case ProductOutput::kHalves: return kernels.halves(tile);
    case ProductOutput::kFloat: return kernels.floats(tile);
    case ProductOutput::kInt32: return kernels.words(tile);
  }
}

void finish_wide(const ProductEpilogue& e, size_t column, const WideSums& sums, uint8_t* out, size_t row_bytes) {
  const ProductColumns c = e.columns.from(column);
  WideTile tile = tile_of<WideTile>(e, c, sums, out, row_bytes);
  tile.high = sums.high, tile.low = sums.low, tile.stride = sums.stride;
  tile.before = sums.before, tile.start = c.start;
  const FinishKernels& kernels = finish_kernels();
  switch (e.output) {
    case ProductOutput::kBytes: return kernels.wide_bytes(tile);
    case ProductOutput::kHalves: return kernels.wide_halves(tile);
    case ProductOutput::kFloat: return kernels.wide_floats(tile);
    case ProductOutput::kInt32: return;  // refused when the step is loaded
  }
}

ResidualAdd residual_add(const Q8Binary& p) {
  const int32_t odd = p.zy & 1, even = p.zy - odd;
  const float largest = 512 * (std::abs(p.ra) + std::abs(p.rb));
  ResidualAdd add;
  add.ra = p.ra, add.rb = p.rb, add.odd = static_cast<float>(odd);
  add.lo = static_cast<float>(p.qmin - even), add.hi = static_cast<float>(p.qmax - even);
  add.zb = p.zb, add.even = even;
  add.is_signed = p.b_signed;
  add.fits_int32 = largest < 1e9f;
  add.fits_int16 = largest < static_cast<float>(Requantize::kInt16Bound);
  return add;
}

void finish_bytes(const ProductEpilogue& e, uint8_t* out, const uint8_t* residual, size_t m, size_t n,
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
        q8.add(e.residual, before, residual + r * row_bytes + i, to, static_cast<int64_t>(count));
      }
      if (e.table) {
        std::memcpy(before, to, count);
        q8.lookup(before, to, static_cast<int64_t>(count), e.table);
      }
    }
}

}  // namespace octavo
