#include "ops/product/bit_weights.h"

#include <algorithm>

namespace octavo {
namespace {

// The bits of a column, [taps][words], to every nr-th word of a panel. Columns are as WeightColumns gives them out.
void pack_column(const WeightSource& s, const uint8_t* column, size_t words, size_t nr, uint32_t* to) {
  for (size_t tap : s.taps)
    for (size_t i = 0; i < words; ++i, to += nr) {
      const size_t first = i * 32, count = std::min<size_t>(32, s.k - first);
      uint32_t word = 0;
      for (size_t b = 0; b < count; ++b)
        word |= static_cast<uint32_t>(static_cast<int8_t>(column[tap + (first + b) * s.k_stride]) > 0) << b;
      *to = word;
    }
}

}  // namespace

bool takes_bits(const LoadContext& c, const ProductOperands& operands) {
  const TensorSpec& w = *c.input(ProductInput::kW);
  if (c.integer("ternary", 0) == 0 || operands.x_format().bits != 8 || !operands.constant() || operands.x_in_run() ||
      !w.constant)
    return false;
  const size_t count = static_cast<size_t>(w.shape.elements());
  return holds_elements(w, count) && are_signs(WeightSource{w.data, 1, 1, count, 0, 0, 1, {0}, operands.w_format()});
}

Status pack_bits(const LoadContext& c, const ProductOperands& operands, const WeightSource& source, BitWeights* out) {
  out->kernel = &bit_kernel();
  const size_t nr = out->nr();
  out->groups = source.groups, out->n = source.n, out->taps = source.taps.size(), out->k = source.k;
  out->words = bit_words(source.k);
  out->panels = (source.n + nr - 1) / nr;
  const size_t columns = out->panels * nr;
  size_t bytes = 0, all = 0;
  if (__builtin_mul_overflow(out->words * sizeof(uint32_t), out->taps, &bytes) ||
      __builtin_mul_overflow(bytes, columns, &bytes) || __builtin_mul_overflow(bytes, source.groups, &bytes) ||
      __builtin_mul_overflow(columns, source.groups, &all))
    return c.error(Code::kLimit, "the weights are too big");
  WeightColumns taken(source, nr);
  if (!out->packed.allocate_in(c.store(), bytes) || !taken.allocate() || !out->folded.allocate_sums(all, true))
    return c.error(Code::kOutOfMemory, std::to_string(bytes) + " bytes of packed weights");
  std::fill_n(out->packed.data(), bytes, uint8_t{0});
  for (size_t g = 0; g < source.groups; ++g)
    for (size_t p = 0; p < out->panels; ++p) {
      const size_t first = p * nr, count = std::min(nr, source.n - first);
      const WeightSource& s = taken.take(g, first, count);
      uint32_t* to = out->packed.as<uint32_t>() + (g * out->panels + p) * out->panel_words();
      for (size_t i = 0; i < count; ++i) pack_column(s, s.data + i * s.n_stride, out->words, nr, to + i);
      std::fill_n(out->folded.magnitudes() + g * columns + first, count,
                  static_cast<uint32_t>(out->taps * out->k));  // each weight is 1 or -1
    }

  ProductShape& shape = out->folded.shape;
  shape.groups = source.groups;
  shape.n = source.n;
  shape.padded = columns;
  shape.depth = static_cast<uint64_t>(out->taps) * out->k;
  shape.a_signed = operands.x_format().is_signed;
  shape.ternary = true;
  ProductParameters parameters;
  ParameterCounts counts;
  const int64_t parameter_columns = static_cast<int64_t>(source.groups * source.n);
  OCTAVO_RETURN_IF_ERROR(operands.bind_constants(c, parameter_columns, &counts));
  OCTAVO_RETURN_IF_ERROR(operands.read(nullptr, counts, &parameters));
  out->x_zero = parameters.x.zp;
  return out->folded.load(c, operands, parameter_columns);
}

}  // namespace octavo
