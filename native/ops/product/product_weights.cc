#include "ops/product/product_weights.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace octavo {
namespace {

// Eight rows of eight bytes to eight columns: bytes, pairs and fours change places across the diagonal (Hacker's
// Delight, 7-3).
void transpose8(const uint8_t* from, size_t from_stride, uint8_t* to, size_t to_stride) {
  uint64_t row[8];
  for (size_t i = 0; i < 8; ++i) std::memcpy(&row[i], from + i * from_stride, 8);
  const auto exchange = [&](size_t apart, uint64_t mask) {
    for (size_t i = 0; i < 8; ++i) {
      if (i & apart) continue;
      uint64_t &a = row[i], &b = row[i + apart];
      const uint64_t moved = ((a >> (8 * apart)) ^ b) & mask;
      a ^= moved << (8 * apart);
      b ^= moved;
    }
  };
  exchange(1, 0x00FF00FF00FF00FFu);
  exchange(2, 0x0000FFFF0000FFFFu);
  exchange(4, 0x00000000FFFFFFFFu);
  for (size_t i = 0; i < 8; ++i) std::memcpy(to + i * to_stride, &row[i], 8);
}

// The weights of a column, [taps][k], less `zero`, modulo 256.
void copy_column(const WeightSource& s, const uint8_t* from, uint8_t zero, uint8_t* to) {
  // Sizes of its own: bytes that are written might be those of `s`.
  const size_t k = s.k, step = s.k_stride, taps = s.taps.size(), squares = k / 8 * 8;
  for (size_t t = 0, width = 1; t < taps; t += width) {
    const uint8_t* in = from + s.taps[t];
    uint8_t* out = to + t * k;
    if (step == 1) {
      if (k > 0) std::memcpy(out, in, k);
      continue;
    }
    const bool side_by_side = taps - t >= 8 && s.taps[t + 7] == s.taps[t] + 7 && step >= 8;
    const size_t done = side_by_side ? squares : 0;
    width = side_by_side ? 8 : 1;
    for (size_t i = 0; i < done; i += 8) transpose8(in + i * step, step, out + i, k);
    for (size_t j = 0; j < width; ++j)
      for (size_t i = done; i < k; ++i) out[j * k + i] = in[i * step + j];
  }
  if (zero == 0) return;
  for (size_t i = 0; i < taps * k; ++i) to[i] = static_cast<uint8_t>(to[i] - zero);
}

// `count` columns that lie side by side in the source, as rows of `count` bytes.
void copy_rows(const WeightSource& s, const uint8_t* zeros, size_t count, uint8_t* to) {
  for (size_t tap : s.taps)
    for (size_t i = 0; i < s.k; ++i, to += count) {
      const uint8_t* in = s.data + tap + i * s.k_stride;
      for (size_t c = 0; c < count; ++c) to[c] = static_cast<uint8_t>(in[c] - zeros[c]);
    }
}

// Adds the magnitudes of weight i of column c, which is weights[c * column + i * row], to sums[c].
void add_magnitudes(const int8_t* weights, size_t columns, size_t column, size_t count, size_t row, uint32_t* sums) {
  if (column == 1)
    for (size_t i = 0; i < count; ++i, weights += row)
      for (size_t c = 0; c < columns; ++c) sums[c] += static_cast<uint32_t>(std::abs(weights[c]));
  else
    for (size_t c = 0; c < columns; ++c)
      for (size_t i = 0; i < count; ++i) sums[c] += static_cast<uint32_t>(std::abs(weights[c * column + i * row]));
}

// Panels of fewer bytes stay in bytes: what unpacking costs a run is for what memory gains.
constexpr size_t kLeastStored = 16384;

// Bits that a weight takes in panels: those of its format. Signs take one, if a panel has nothing but weights, because
// no bit is 0.
int bits_of_memory(const WeightSource& s, const QGemmLayout& l) {
  if (s.format.bits < 8) return s.format.bits == 1 ? 8 : s.format.bits;
  const size_t weights = l.taps * l.k * l.nr;
  return s.format.is_signed && l.panel_bytes == weights && are_signs(s) ? 1 : 8;
}

Status allocate(const LoadContext& c, const ProductOperands& operands, const PackingOptions& options,
                const WeightSource& source, ProductWeights* out) {
  QGemmLayout& l = out->layout;
  size_t total = 0, columns = 0;
  const int bits = bits_of_memory(source, l);
  if (bits < 8 && l.panels * source.groups * l.panel_bytes >= kLeastStored) static_cast<void>(store_in_bits(bits, &l));
  if (__builtin_mul_overflow(l.bytes(), source.groups, &total) ||
      __builtin_mul_overflow(l.columns(), source.groups, &columns))
    return c.error(Code::kLimit, "the weights are too big");
  const bool bounds = out->kernel->has(kBounds) && operands.constant() && (!options.repeat || source.groups == 1);
  if (!out->packed.allocate_in(c.store(), total) || (l.bits < 8 && !out->zeros.allocate(columns)) ||
      !out->folded.allocate_sums(columns, bounds))
    return c.error(Code::kOutOfMemory, std::to_string(total) + " bytes of packed weights");
  return Status::Ok();
}

// Panels that are packed together: rows of a matrix are read in long pieces, and what is copied stays in the cache.
constexpr size_t kMostPanels = 8;
constexpr size_t kCopiedBytes = 512 * 1024;

size_t panels_of_task(const QGemmLayout& l, const WeightSource& s, size_t size) {
  const size_t of_panel = l.nr * std::max<size_t>(1, size);
  if (s.n_stride != 1 || of_panel >= kCopiedBytes) return 1;
  return std::min(kMostPanels, kCopiedBytes / of_panel);
}

// Packs panels of one thread. `size`: weights of a column; `most`: panels at a time.
class PanelPacker {
 public:
  PanelPacker(const ProductOperands& operands, const WeightSource& source, const PackingOptions& options, size_t size,
              size_t most, ProductWeights* out)
      : operands_(operands),
        source_(source),
        options_(options),
        size_(size),
        most_(most * out->layout.nr),
        by_rows_(source.n_stride == 1 && source.k_stride != 1),
        out_(out),
        taken_(source, most_) {}

  // False: out of memory.
  [[nodiscard]] bool allocate() {
    size_t bytes = 0;
    return !__builtin_mul_overflow(most_, size_, &bytes) && columns_.allocate_unset(bytes) && taken_.allocate() &&
           (out_->layout.bits == 8 || panel_.allocate(qunpack_blocks(out_->layout.panel_bytes) * kQUnpackBlock));
  }
  void pack(size_t group, size_t first_panel, size_t last_panel) {
    const QGemmLayout& l = out_->layout;
    const size_t first = first_panel * l.nr, count = std::min(source_.n, last_panel * l.nr) - first;
    copy(group, first, count);
    const size_t row = by_rows_ ? count : 1, column = by_rows_ ? 1 : size_;
    for (size_t p = first_panel; p < last_panel; ++p) {
      QGemmLayout one = l;
      one.panels = 1;
      one.n = std::min(l.nr, source_.n - p * l.nr);
      const uint8_t* from = columns_.data() + (p - first_panel) * l.nr * column;
      const size_t at = group * l.columns() + p * l.nr;
      if (uint32_t* magnitudes = out_->folded.magnitudes())
        add_magnitudes(reinterpret_cast<const int8_t*>(from), one.n, column, size_, row, magnitudes + at);
      uint8_t* const to = out_->packed.data() + group * l.bytes() + p * l.stored_bytes;
      int8_t* const bytes = l.bits == 8 ? reinterpret_cast<int8_t*>(to) : panel_.as<int8_t>();
      one.pack({from, l.k * row, row, column, 0}, 0, 1, bytes, out_->folded.sums() + at);
      if (l.bits == 8) continue;
      const RepeatedZeros zeros(l, out_->zeros.data() + at);
      qunpack_store(bytes, zeros.of_block, qunpack_blocks(l.panel_bytes), l.bits, to);
    }
  }

 private:
  // Columns less their zero points: each together, or row by row as the source has them.
  void copy(size_t group, size_t first, size_t count) {
    uint8_t zeros[kMostPanels * kQGemmMaxColumns];
    for (size_t i = 0; i < count; ++i) {
      const int32_t zero =
          packed_zero(source_, operands_, options_.range.zero_folded, options_.repeat, group, first + i);
      zeros[i] = static_cast<uint8_t>(zero);
      if (out_->layout.bits < 8)
        out_->zeros.data()[group * out_->layout.columns() + first + i] =
            static_cast<uint8_t>(out_->layout.bits == 1 ? zero + 1 : zero - source_.format.low);
    }
    const WeightSource& s = taken_.take(group, first, count);
    if (by_rows_) return copy_rows(s, zeros, count, columns_.data());
    for (size_t i = 0; i < count; ++i) copy_column(s, s.data + i * s.n_stride, zeros[i], columns_.data() + i * size_);
  }

  const ProductOperands& operands_;
  const WeightSource& source_;
  const PackingOptions& options_;
  size_t size_, most_;  // most_: columns at a time
  bool by_rows_;
  ProductWeights* out_;
  WeightColumns taken_;
  AlignedBuffer columns_;  // of some panels
  AlignedBuffer panel_;    // of fewer than 8 bits, before it is stored
};

// A packer for every thread that has something to do.
Status pack_panels(const LoadContext& c, const ProductOperands& operands, const WeightSource& source,
                   const PackingOptions& options, size_t size, ProductWeights* out) {
  const size_t panels = out->layout.panels, together = panels_of_task(out->layout, source, size),
               tasks = (panels + together - 1) / together, all = source.groups * tasks;
  std::vector<std::unique_ptr<PanelPacker>> packers;
  for (size_t i = 0; i < std::min(all, static_cast<size_t>(c.pool().threads())); ++i) {
    packers.push_back(std::make_unique<PanelPacker>(operands, source, options, size, together, out));
    if (!packers.back()->allocate()) return c.error(Code::kOutOfMemory, "the columns of a panel");
  }
  c.pool().for_each(static_cast<int64_t>(all), [&](int64_t task, int thread) {
    const size_t group = static_cast<size_t>(task) / tasks, first = static_cast<size_t>(task) % tasks * together;
    packers[static_cast<size_t>(thread)]->pack(group, first, std::min(panels, first + together));
  });
  return Status::Ok();
}

}  // namespace

Status pack_weights(const LoadContext& c, const ProductOperands& operands, const WeightSource& source,
                    const PackingOptions& options, const QGemmKernel& kernel, ProductWeights* out) {
  const size_t groups = source.groups, n = source.n, taps = options.one_tap ? 1 : source.taps.size();
  size_t size = 0;  // of a column
  if (__builtin_mul_overflow(source.k, source.taps.size(), &size))
    return c.error(Code::kLimit, "the weights are too big");
  const size_t k = options.one_tap ? size : source.k;
  out->kernel = &kernel;
  if (!make_qgemm_layout(kernel, taps, k, n, &out->layout)) return c.error(Code::kLimit, "the weights are too big");
  OCTAVO_RETURN_IF_ERROR(allocate(c, operands, options, source, out));
  OCTAVO_RETURN_IF_ERROR(pack_panels(c, operands, source, options, size, out));

  ProductShape& s = out->folded.shape;
  s.groups = groups;
  s.n = n;
  s.repeat = options.repeat;
  s.padded = out->layout.columns();
  s.depth = static_cast<uint64_t>(taps) * k;
  s.a_signed = kernel.a_signed();
  s.w_zero_folded = options.range.zero_folded;
  s.w_offset = source.offset();
  return out->folded.load(c, operands, static_cast<int64_t>(options.repeat ? n : groups * n));
}

}  // namespace octavo
