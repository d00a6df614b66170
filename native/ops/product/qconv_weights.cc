#include "ops/product/qconv_weights.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace octavo {
namespace {

int32_t zero_of(const QWeightSource& s, const QLinear& linear, bool folded, bool repeat, size_t group, size_t column) {
  if (!folded) return s.is_signed ? 0 : 128;
  return linear.w_zero(repeat ? column : group * s.n + column);
}

// Least and largest weight of the columns of a group; `flip` makes their order that of unsigned bytes.
struct Extents {
  std::vector<uint8_t> least, most;

  Extents(const QWeightSource& s, const uint8_t* from, uint8_t flip) : least(s.n, 255), most(s.n, 0) {
    const size_t taps = s.taps.size();
    const bool dense = taps > 0 && s.k_stride == taps && s.taps[taps - 1] - s.taps[0] == taps - 1;
    if (s.n_stride == 1 && s.k_stride != 1) {
      for (size_t tap : s.taps)
        for (size_t i = 0; i < s.k; ++i) rows(from + tap + i * s.k_stride, s.n, flip);
      return;
    }
    for (size_t c = 0; c < s.n; ++c)
      if (dense) column(c, from + c * s.n_stride + s.taps[0], s.k * taps, 1, flip);
      else
        for (size_t tap : s.taps) column(c, from + c * s.n_stride + tap, s.k, s.k_stride, flip);
  }

 private:
  void rows(const uint8_t* bytes, size_t count, uint8_t flip) {
    uint8_t *low = least.data(), *high = most.data();
    for (size_t i = 0; i < count; ++i) {
      const uint8_t v = bytes[i] ^ flip;
      low[i] = std::min(low[i], v);
      high[i] = std::max(high[i], v);
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
void copy_column(const QWeightSource& s, const uint8_t* from, uint8_t zero, uint8_t* to) {
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

// `count` columns that lie side by side in the source: a row of it at a time.
void copy_columns(const QWeightSource& s, const uint8_t* from, const uint8_t* zeros, size_t count, size_t size,
                  uint8_t* to) {
  for (size_t tap : s.taps)
    for (size_t i = 0; i < s.k; ++i, ++to) {
      const uint8_t* in = from + tap + i * s.k_stride;
      for (size_t c = 0; c < count; ++c) to[c * size] = static_cast<uint8_t>(in[c] - zeros[c]);
    }
}

uint32_t sum_magnitudes(const int8_t* weights, size_t count) {
  uint32_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += static_cast<uint32_t>(std::abs(weights[i]));
  return sum;
}

}  // namespace

QWeightRange weight_range(const QWeightSource& s, const QLinear& linear, bool repeat) {
  const uint8_t flip = s.is_signed ? 0x80 : 0;
  const int32_t lowest = s.is_signed ? -128 : 0;
  QWeightRange range{linear.w_zero_constant(), true};
  bool narrow_folded = true, narrow_raw = true;
  for (size_t g = 0; g < s.groups; ++g) {
    const Extents extents(s, s.data + g * s.group_stride, flip);
    for (size_t c = 0; c < s.n; ++c) {
      if (extents.least[c] > extents.most[c]) continue;  // no weights
      const int32_t least = lowest + extents.least[c], most = lowest + extents.most[c];
      narrow_raw &= least - zero_of(s, linear, false, repeat, g, c) != -128;
      if (!range.zero_folded) continue;
      const int32_t zero = zero_of(s, linear, true, repeat, g, c);
      range.zero_folded = least - zero >= -128 && most - zero <= 127;
      narrow_folded &= least - zero != -128;
    }
  }
  range.narrow = range.zero_folded ? narrow_folded : narrow_raw;
  return range;
}

Status pack_weights(const LoadContext& c, const QLinear& linear, const QWeightSource& source, const QWeightRange& range,
                    bool joined, const QGemmKernel& kernel, QConvWeights* out) {
  const size_t groups = source.groups, n = source.n, taps = joined ? 1 : source.taps.size();
  QLinearShape& s = out->shape;
  size_t k = source.k, size = 0, total = 0, column_bytes = 0, panel_columns = 0;
  if (__builtin_mul_overflow(source.k, source.taps.size(), &size))
    return c.error(Code::kLimit, "the weights are too big");
  if (joined) k = size;
  out->kernel = &kernel;
  if (!make_qgemm_layout(kernel, taps, k, n, &out->layout) ||
      __builtin_mul_overflow(out->layout.bytes(), groups, &total) ||
      __builtin_mul_overflow(out->layout.columns() * groups, QLinearColumns::kBytes, &column_bytes) ||
      __builtin_mul_overflow(out->layout.nr, size, &panel_columns))
    return c.error(Code::kLimit, "the weights are too big");
  const QGemmLayout& l = out->layout;
  // The columns of one panel, in the order of the kernel: what is copied stays in the cache.
  AlignedBuffer columns;
  if (!out->packed.allocate_in(c.store(), total) || !out->sums.allocate_unset(l.columns() * groups * sizeof(int32_t)) ||
      !columns.allocate_unset(panel_columns))
    return c.error(Code::kOutOfMemory, std::to_string(total) + " bytes of packed weights");
  const bool bounds = kernel.has(kBounds) && linear.parameters_constant() && (!s.repeat || groups == 1);
  if (bounds && !out->magnitudes.allocate(l.columns() * groups * sizeof(uint32_t)))
    return c.error(Code::kOutOfMemory, "bounds");
  auto* magnitudes = out->magnitudes.as<uint32_t>();
  QGemmLayout panel = l;
  panel.panels = 1;
  for (size_t g = 0; g < groups; ++g)
    for (size_t p = 0; p < l.panels; ++p) {
      const size_t first = p * l.nr;
      panel.n = std::min(l.nr, n - first);
      const uint8_t* from = source.data + g * source.group_stride + first * source.n_stride;
      uint8_t zeros[kQGemmMaxColumns];
      for (size_t i = 0; i < panel.n; ++i)
        zeros[i] = static_cast<uint8_t>(zero_of(source, linear, range.zero_folded, s.repeat, g, first + i));
      if (source.n_stride == 1 && source.k_stride != 1)
        copy_columns(source, from, zeros, panel.n, size, columns.data());
      else
        for (size_t i = 0; i < panel.n; ++i)
          copy_column(source, from + i * source.n_stride, zeros[i], columns.data() + i * size);
      for (size_t i = 0; bounds && i < panel.n; ++i)
        magnitudes[g * l.columns() + first + i] = sum_magnitudes(columns.as<int8_t>() + i * size, size);
      qgemm_pack(panel, {columns.data(), k, 1, size, 0}, 0, 1,
                 out->packed.as<int8_t>() + g * l.bytes() + p * l.panel_bytes,
                 out->sums.as<int32_t>() + g * l.columns() + first);
    }

  s.groups = groups;
  s.n = n;
  s.padded = l.columns();
  s.depth = static_cast<uint64_t>(taps) * k;
  s.sums = out->sums.as<int32_t>();
  s.magnitudes = bounds ? magnitudes : nullptr;
  s.a_signed = kernel.a_signed;
  s.w_zero_folded = range.zero_folded;
  if (!linear.parameters_constant()) return Status::Ok();
  OCTAVO_RETURN_IF_ERROR(linear.check_constants(c, static_cast<int64_t>(s.repeat ? n : groups * n), &s));
  if (!out->columns.allocate(column_bytes)) return c.error(Code::kOutOfMemory, "parameters");
  out->parameters.columns = QLinearColumns::split(out->columns.data(), s.padded * groups);
  const Status status = linear.fold(nullptr, s, &out->parameters);
  if (!status.ok()) return c.error(status.code, status.message);
  out->folded = true;
  return Status::Ok();
}

}  // namespace octavo
