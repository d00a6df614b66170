#include "ops/product/weight_source.h"

#include <algorithm>
#include <atomic>

#include "ops/support/unpack_levels.h"

namespace octavo {
namespace {

constexpr size_t kColumnsOfTask = 512;

// Least and largest weight of some columns of a group; `flip` makes their order that of unsigned bytes.
struct Extents {
  uint8_t least[kColumnsOfTask], most[kColumnsOfTask];

  // `from`: the first of `count` columns.
  Extents(const WeightSource& s, const uint8_t* from, size_t count, uint8_t flip) {
    std::fill_n(least, count, uint8_t{255});
    std::fill_n(most, count, uint8_t{0});
    const size_t taps = s.taps.size();
    const bool dense = taps > 0 && s.k_stride == taps && s.taps[taps - 1] - s.taps[0] == taps - 1;
    if (s.n_stride == 1 && s.k_stride != 1) {
      for (size_t tap : s.taps)
        for (size_t i = 0; i < s.k; ++i) rows(from + tap + i * s.k_stride, count, flip);
      return;
    }
    for (size_t c = 0; c < count; ++c)
      if (dense) column(c, from + c * s.n_stride + s.taps[0], s.k * taps, 1, flip);
      else
        for (size_t tap : s.taps) column(c, from + c * s.n_stride + tap, s.k, s.k_stride, flip);
  }

 private:
  void rows(const uint8_t* bytes, size_t count, uint8_t flip) {
    for (size_t i = 0; i < count; ++i) {
      const uint8_t v = bytes[i] ^ flip;
      least[i] = std::min(least[i], v);
      most[i] = std::max(most[i], v);
    }
  }
  void column(size_t c, const uint8_t* bytes, size_t count, size_t stride, uint8_t flip) {
    uint8_t low = least[c], high = most[c];
    if (stride == 1)
      for (size_t i = 0; i < count; ++i) {
        const uint8_t v = bytes[i] ^ flip;
        low = std::min(low, v);
        high = std::max(high, v);
      }
    else
      for (size_t i = 0; i < count; ++i) {
        const uint8_t v = bytes[i * stride] ^ flip;
        low = std::min(low, v);
        high = std::max(high, v);
      }
    least[c] = low;
    most[c] = high;
  }
};

}  // namespace

bool holds_elements(const TensorSpec& tensor, size_t count) {
  const size_t bits = static_cast<size_t>(bit_width(tensor.dtype));
  return count <= SIZE_MAX / 16 && tensor.byte_length == (count * bits + 7) / 8;
}

bool are_signs(const WeightSource& s) {
  const size_t count = s.groups * s.n * s.k * s.taps.size();
  if (s.format.bits == 8 && s.format.is_signed)
    return std::all_of(s.data, s.data + count, [](uint8_t v) { return v == 1 || v == 0xFF; });
  for (size_t i = 0; i < count; ++i) {
    const int32_t level = level_at(s.data, i, s.format);
    if (level != 1 && level != -1) return false;
  }
  return true;
}

int32_t packed_zero(const WeightSource& s, const ProductOperands& operands, bool folded, bool repeat, size_t group,
                    size_t column) {
  return folded ? operands.w_zero(repeat ? column : group * s.n + column) : s.offset();
}

WeightRange weight_range(const LoadContext& c, const WeightSource& s, const ProductOperands& operands, bool repeat) {
  // Two numbers of fewer bits are less than 128 apart.
  if (s.format.bits < 8) return {operands.w_zero_constant(), true};
  const uint8_t flip = s.format.is_signed ? 0x80 : 0;
  const bool constant_zero = operands.w_zero_constant();
  std::atomic<bool> folded{constant_zero}, narrow_folded{true}, narrow_raw{true};
  const size_t tasks_of_group = (s.n + kColumnsOfTask - 1) / kColumnsOfTask;
  c.pool().for_each(static_cast<int64_t>(s.groups * tasks_of_group), [&](int64_t task, int) {
    const size_t group = static_cast<size_t>(task) / tasks_of_group,
                 first = static_cast<size_t>(task) % tasks_of_group * kColumnsOfTask,
                 count = std::min(kColumnsOfTask, s.n - first);
    const Extents extents(s, s.data + group * s.group_stride + first * s.n_stride, count, flip);
    for (size_t i = 0; i < count; ++i) {
      if (extents.least[i] > extents.most[i]) continue;  // no weights
      const int32_t least = s.format.low + extents.least[i], most = s.format.low + extents.most[i];
      if (least - packed_zero(s, operands, false, repeat, group, first + i) == -128) narrow_raw = false;
      if (!constant_zero) continue;
      const int32_t zero = packed_zero(s, operands, true, repeat, group, first + i);
      if (least - zero < -128 || most - zero > 127) folded = false;
      if (least - zero == -128) narrow_folded = false;
    }
  });
  return {folded, folded ? narrow_folded : narrow_raw};
}

WeightColumns::WeightColumns(const WeightSource& source, size_t most)
    : source_(source), most_(std::min(most, source.n)), by_columns_(source.n_stride >= source.k_stride) {
  taken_ = source;
  taken_.groups = 1;
  taken_.group_stride = 0;
  if (source.format.bits == 8) return;
  taken_.format = format_of(DType::kInt8);
}

bool WeightColumns::allocate() {
  if (source_.format.bits == 8 || source_.taps.empty() || source_.k == 0 || source_.n == 0) return true;
  const size_t last = *std::max_element(source_.taps.begin(), source_.taps.end());
  size_t others = 0, size = 0;
  if (by_columns_) {
    others = most_;
    size = (source_.k - 1) * source_.k_stride + last + 1;
    taken_.n_stride = size;
  } else {
    others = source_.k;
    size = (most_ - 1) * source_.n_stride + last + 1;
    taken_.k_stride = size;
  }
  piece_ = size;
  return !__builtin_mul_overflow(others, size, &size) && bytes_.allocate_unset(size);
}

const WeightSource& WeightColumns::take(size_t group, size_t first, size_t count) {
  const WeightSource& s = source_;
  const size_t begin = group * s.group_stride + first * s.n_stride;
  taken_.n = count;
  if (s.format.bits == 8) {
    taken_.data = s.data + begin;
    return taken_;
  }
  taken_.data = bytes_.data();
  if (piece_ == 0 || count == 0) return taken_;
  if (by_columns_) {
    for (size_t c = 0; c < count; ++c)
      unpack_levels(s.data, begin + c * s.n_stride, piece_, s.format, bytes_.data() + c * piece_);
  } else {
    const size_t size = piece_ - (most_ - count) * s.n_stride;
    for (size_t i = 0; i < s.k; ++i)
      unpack_levels(s.data, begin + i * s.k_stride, size, s.format, bytes_.data() + i * piece_);
  }
  return taken_;
}

}  // namespace octavo
