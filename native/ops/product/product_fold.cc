#include "ops/product/product_fold.h"

#include <algorithm>
#include <cmath>

#include "ops/product/planes.h"

namespace octavo {
namespace {

// What is known of all sums of a product: activations are 127.5 (or 1) around their middle, which bounds the sums of
// known weights; of others only the type is known.
class SumBounds {
 public:
  SumBounds(const ProductShape& s, int32_t x_zero)
      : middle_(s.ternary    ? 0
                : s.a_signed ? -0.5
                             : 127.5),
        reach_(s.ternary ? 1 : 127.5),
        largest_x_(std::abs(middle_ - x_zero) + reach_),
        depth_(static_cast<double>(s.depth)) {}

  void add_multiplier(float m) { fits_int32_ &= m < 0.5f; }
  // `own`: the bias before zero points were folded into it. Bounds of such a kind never wrap.
  void add_known(int32_t folded_bias, int32_t sum, uint32_t magnitude, float m) {
    add(std::abs(folded_bias + middle_ * sum) + reach_ * magnitude, m);
  }
  void add_unknown(int32_t own_bias, int32_t w_zero, float m) {
    add(std::abs(static_cast<double>(own_bias)) + depth_ * largest_x_ * (std::abs(w_zero + 0.5) + 127.5), m);
  }
  void add_nothing_known() { fits_int16_ = false; }
  bool wanted() const { return fits_int16_; }
  void describe(Requantize* r) const {
    r->fits_int32 = fits_int32_;
    r->fits_int16 = fits_int16_;
    r->exact_float = fits_int16_ && exact_float_;
  }

 private:
  void add(double bound, float m) {
    fits_int16_ = bound * static_cast<double>(m) < Requantize::kInt16Bound;
    exact_float_ &= fits_int16_ && bound < Requantize::kExactBound;
  }

  double middle_, reach_, largest_x_, depth_;
  bool fits_int32_ = true, fits_int16_ = true, exact_float_ = true;
};

// The factor from a sum to the output: of real outputs their scale, of those that a run scales by x the weights'.
float multiplier_of(const ProductParameters& p, float w_scale) {
  const float product = flush_subnormal(p.x_in_run ? w_scale : p.x.scale * w_scale);
  return is_quantized(p.output) ? flush_subnormal(product / p.y.scale) : product;
}

// The zero point that the kernel leaves in the weights of column n.
int32_t remaining_zero(const ProductParameters& p, const ProductShape& s, size_t n) {
  if (s.w_zero_folded) return 0;
  const int32_t zero = p.w_zero ? level_at(p.w_zero, p.counts.w_zeros == 1 ? 0 : n, p.w_format) : 0;
  return zero - s.w_offset;
}

// The columns of a later group that has the parameters of the first, and sums of its own.
void repeat_columns(const ProductShape& s, const ProductColumns& to, size_t group, uint32_t x_zero) {
  const size_t at = group * s.padded;
  std::copy_n(to.multiplier, s.padded, to.multiplier + at);
  std::copy_n(to.float_bias, s.padded, to.float_bias + at);
  std::copy_n(to.w_zero, s.padded, to.w_zero + at);
  for (size_t i = 0; i < s.padded; ++i) {
    if (to.start)
      to.start[at + i] = to.start[i] + static_cast<double>(static_cast<int32_t>(x_zero)) *
                                           (static_cast<double>(s.sums[i]) - static_cast<double>(s.sums[at + i]));
    const uint32_t difference = static_cast<uint32_t>(s.sums[i]) - static_cast<uint32_t>(s.sums[at + i]);
    to.bias[at + i] = to.start ? 0 : static_cast<int32_t>(static_cast<uint32_t>(to.bias[i]) + x_zero * difference);
    to.net_sum[at + i] = static_cast<int32_t>(static_cast<uint32_t>(to.net_sum[i]) - difference);
  }
}

class ColumnFold {
 public:
  ColumnFold(const ProductParameters& p, const ProductShape& s, const ProductColumns& to, ProductEpilogue* epilogue)
      : p_(p), s_(s), to_(to), epilogue_(epilogue), x_zero_(static_cast<uint32_t>(epilogue->x_zero)) {}

  // Column n of the step, at index `at` of the arrays.
  Status fold(size_t n, size_t at, SumBounds* bounds) {
    const float w_scale = p_.w_scale[p_.counts.w_scales == 1 ? 0 : n];
    if (!ops::Quantization::valid(w_scale))
      return Status::Error(Code::kData, "w_scale " + std::to_string(n) + ": " + ops::Quantization::bad_scale(w_scale));
    const float m = multiplier_of(p_, w_scale);
    if (!(m <= std::numeric_limits<float>::max()))
      return Status::Error(Code::kData, "the scales of column " + std::to_string(n) + " overflow float32");
    to_.multiplier[at] = m;
    to_.float_bias[at] = p_.float_bias ? p_.float_bias[n] : 0;
    bounds->add_multiplier(m);

    const int32_t zero = remaining_zero(p_, s_, n), own_bias = p_.bias ? p_.bias[n] : 0;
    to_.w_zero[at] = zero;
    epilogue_->correct_rows |= zero != 0;
    epilogue_->same_w_zero &= zero == to_.w_zero[0];
    const uint32_t net =
        static_cast<uint32_t>(s_.sums[at]) - static_cast<uint32_t>(s_.depth) * static_cast<uint32_t>(zero);
    to_.net_sum[at] = static_cast<int32_t>(net);
    if (to_.start) {
      const int64_t whole = s_.sums[at] - static_cast<int64_t>(s_.depth) * zero;
      to_.start[at] = static_cast<double>(own_bias - static_cast<int64_t>(epilogue_->x_zero) * whole);
      to_.bias[at] = 0;
      return Status::Ok();
    }
    to_.bias[at] = static_cast<int32_t>(static_cast<uint32_t>(own_bias) - x_zero_ * net);
    if (!bounds->wanted()) return Status::Ok();
    if (s_.magnitudes && zero == 0) bounds->add_known(to_.bias[at], s_.sums[at], s_.magnitudes[at], m);
    else bounds->add_unknown(own_bias, zero, m);
    return Status::Ok();
  }
  void pad(size_t at) {
    to_.bias[at] = to_.w_zero[at] = to_.net_sum[at] = 0;
    to_.multiplier[at] = to_.float_bias[at] = 0;
    if (to_.start) to_.start[at] = 0;
  }

 private:
  const ProductParameters& p_;
  const ProductShape& s_;
  const ProductColumns& to_;
  ProductEpilogue* epilogue_;
  uint32_t x_zero_;
};

// Into the kernel's signedness: x ^ 0x80 moves every value, and the zero point, by 128.
int32_t sign_shift(const ProductParameters& p, const ProductShape& s) {
  if (p.x_format.bits == 16) return plane_shift(p.x_format.is_signed, s.a_signed);
  return p.x_format.is_signed == s.a_signed ? 0 : s.a_signed ? -128 : 128;
}

void fold_output(const ProductParameters& p, const SumBounds& bounds, ProductEpilogue* e) {
  if (!is_quantized(p.output)) return;
  e->requantize.lo = static_cast<float>(p.clamp.qmin - p.y.zp);
  e->requantize.hi = static_cast<float>(p.clamp.qmax - p.y.zp);
  e->requantize.zero_point = p.y.zp;
  if (p.x_format.bits == 8) bounds.describe(&e->requantize);
  e->table = p.table;
  if (!p.has_residual) return;
  Q8Binary& r = e->residual;
  r.a_signed = p.q_format.is_signed;
  r.b_signed = p.residual_signed;
  r.b_scalar = false;
  r.za = p.y.zp, r.zb = p.residual.zp, r.zy = p.sum.zp;
  r.ra = p.y.scale / p.sum.scale, r.rb = p.residual.scale / p.sum.scale;
  r.qmin = p.sum_clamp.qmin, r.qmax = p.sum_clamp.qmax;
}

}  // namespace

Status fold_product(const ProductParameters& p, const ProductShape& s, const ProductColumns& columns,
                    ProductEpilogue* e) {
  const int32_t shift = sign_shift(p, s);
  *e = {};
  e->output = p.output;
  e->columns = columns;
  e->has_float_bias = p.float_bias != nullptr;
  if (!p.x_in_run && !s.ternary) e->x_zero = p.x.zp + shift;

  SumBounds bounds(s, e->x_zero);
  ColumnFold fold(p, s, columns, e);
  for (size_t g = 0; g < s.groups; ++g) {
    if (g > 0 && s.repeat) {
      repeat_columns(s, columns, g, static_cast<uint32_t>(e->x_zero));
      if (s.magnitudes != nullptr) bounds.add_nothing_known();
      continue;
    }
    for (size_t i = 0; i < s.padded; ++i) {
      const size_t at = g * s.padded + i;
      if (i < s.n) OCTAVO_RETURN_IF_ERROR(fold.fold((s.repeat ? 0 : g * s.n) + i, at, &bounds));
      else fold.pad(at);
    }
  }
  fold_output(p, bounds, e);
  if (p.x_in_run) set_rows(p, s, e);
  return Status::Ok();
}

void set_rows(const ProductParameters& p, const ProductShape& s, ProductEpilogue* e) {
  const int32_t shift = sign_shift(p, s);
  e->rows = {p.row_scale, p.row_zero, p.counts.x_scales, p.counts.x_zeros, p.x_format, shift, p.order};
  e->x_zero = p.counts.per_row ? 0 : p.x.zp + shift;
}

}  // namespace octavo
