#include "ops/product/block_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/product/weight_source.h"
#include "simd/half.h"

namespace octavo::ops {
namespace {

bool is_real(DType type) { return type == DType::kFloat32 || type == DType::kFloat16; }

// Numbers of a constant of float32 or float16 as float32. False: out of memory.
bool widen(const TensorSpec& t, size_t count, AlignedBuffer* to) {
  if (!to->allocate_unset(count * sizeof(float))) return false;
  float* numbers = to->as<float>();
  for (size_t i = 0; i < count; ++i) {
    if (t.dtype == DType::kFloat32) {
      std::memcpy(numbers + i, t.data + i * sizeof(float), sizeof(float));
      continue;
    }
    uint16_t half;
    std::memcpy(&half, t.data + i * sizeof(half), sizeof(half));
    numbers[i] = half_to_float(half);
  }
  return true;
}

std::string named(const char* what, const TensorSpec& t) {
  return std::string(what) + (t.name.empty() ? "" : " \"" + t.name + "\"") + " " + dims_text(t.shape);
}

}  // namespace

Status BlockWeights::load(const LoadContext& c, const BlockOperands& operands) {
  const TensorSpec& b = *c.input(operands.b);
  if (!b.constant) return c.error(Code::kUnsupported, "weights that are not constant");
  if (b.shape.rank != 2) return c.error(Code::kInvalidPlan, "expected b of rank 2, got " + dims_text(b.shape));
  BlockSource source;
  source.data = b.data;
  source.format = format_of(b.dtype);
  layout_.bits = source.format.bits;
  if (layout_.bits == 1) return c.error(Code::kUnsupported, "blocks of weights of 1 bit");
  layout_.n = static_cast<size_t>(b.shape[operands.trans_b ? 0 : 1]);
  layout_.k = static_cast<size_t>(b.shape[operands.trans_b ? 1 : 0]);
  if (!holds_elements(b, layout_.n * layout_.k))
    return c.error(Code::kInvalidPlan, named("b", b) + " of " + std::to_string(b.byte_length) + " bytes");
  source.n_stride = operands.trans_b ? layout_.k : 1;
  source.k_stride = operands.trans_b ? 1 : layout_.n;
  if (operands.block_size < 1)
    return c.error(Code::kInvalidPlan,
                   "expected a block_size of 1 or more, got " + std::to_string(operands.block_size));
  layout_.block = static_cast<size_t>(operands.block_size);
  if (!make_block_layout(&layout_))
    return c.error(Code::kUnsupported, named("b", b) + ": expected blocks of at least 16, or one block of all k, got " +
                                           std::to_string(operands.block_size));
  OCTAVO_RETURN_IF_ERROR(read_scales(c, operands, &source));
  OCTAVO_RETURN_IF_ERROR(read_zeros(c, operands, &source));
  layout_.signed_bytes = blockgemm_kernel().signed_bytes;
  if (!make_block_layout(&layout_)) return c.error(Code::kLimit, named("b", b) + " is too big to pack");
  if (!packed_.allocate_in(c.store(), std::max<size_t>(1, layout_.bytes())))
    return c.error(Code::kOutOfMemory, "no memory for packed weights");
  pack_blocks(layout_, source, 0, layout_.panels, packed_.data());
  scales_ = AlignedBuffer();
  zeros_ = AlignedBuffer();
  return Status::Ok();
}

Status BlockWeights::read_scales(const LoadContext& c, const BlockOperands& operands, BlockSource* source) {
  const TensorSpec& scale = *c.input(operands.scale);
  const size_t n = layout_.n, blocks = layout_.blocks, count = n * blocks;
  if (!scale.constant) return c.error(Code::kUnsupported, "scales of blocks that are computed while running");
  const int64_t rows = static_cast<int64_t>(operands.trans_b ? n : blocks),
                columns = static_cast<int64_t>(operands.trans_b ? blocks : n);
  if (scale.shape.rank != 2 || scale.shape[0] != rows || scale.shape[1] != columns || !holds_elements(scale, count))
    return c.error(Code::kShape, named("scales", scale) + ": expected [" + std::to_string(rows) + ", " +
                                     std::to_string(columns) + "]");
  if (!widen(scale, count, &scales_)) return c.error(Code::kOutOfMemory, "scales");
  source->scales = scales_.as<float>();
  source->scale_n = operands.trans_b ? blocks : 1;
  source->scale_k = operands.trans_b ? 1 : n;
  layout_.half_scales = true;
  for (size_t i = 0; i < count; ++i) {
    if (!std::isfinite(source->scales[i]))
      return c.error(Code::kInvalidPlan, named("scales", scale) + ": expected finite numbers, got " +
                                             std::to_string(source->scales[i]) + " at element " + std::to_string(i));
    uint16_t half;
    layout_.half_scales = layout_.half_scales && exact_half(source->scales[i], &half);
  }
  return Status::Ok();
}

Status BlockWeights::read_zeros(const LoadContext& c, const BlockOperands& operands, BlockSource* source) {
  const TensorSpec* zero = c.input(operands.zero);
  layout_.zeros = BlockZeros::kOne;
  layout_.zero = -source->format.low;
  if (zero == nullptr) return Status::Ok();
  if (!zero->constant) return c.error(Code::kUnsupported, "zero points of blocks that are computed while running");
  const size_t n = layout_.n, blocks = layout_.blocks;
  const bool real = is_real(zero->dtype);
  if (!real && zero->dtype != c.input(operands.b)->dtype)
    return c.error(Code::kInvalidPlan, named("zero points", *zero) + " of another type than b");
  if (!real && zero->shape.elements() == 1 && holds_elements(*zero, 1)) {
    layout_.zero = level_at(zero->data, 0, source->format) - source->format.low;
    return Status::Ok();
  }
  const Shape& s = zero->shape;
  const size_t rows = operands.trans_b ? n : blocks, columns = operands.trans_b ? blocks : n;
  // Rows of less than whole bytes may be padded.
  const bool fits = s.rank == 2 && s[0] == static_cast<int64_t>(rows) &&
                    (real ? s[1] == static_cast<int64_t>(columns) : s[1] >= static_cast<int64_t>(columns)) &&
                    holds_elements(*zero, rows * static_cast<size_t>(s[1]));
  if (!fits)
    return c.error(Code::kShape, named("zero points", *zero) + ": expected [" + std::to_string(rows) + ", " +
                                     std::to_string(columns) + "]");
  const size_t row = static_cast<size_t>(s[1]);
  source->zero_n = operands.trans_b ? row : 1;
  source->zero_k = operands.trans_b ? 1 : row;
  if (!real) {
    layout_.zeros = BlockZeros::kBytes;
    source->zero_levels = zero->data;
    return Status::Ok();
  }
  layout_.zeros = BlockZeros::kFloats;
  if (!widen(*zero, rows * row, &zeros_)) return c.error(Code::kOutOfMemory, "zero points");
  source->zero_floats = zeros_.as<float>();
  for (size_t i = 0; i < rows * row; ++i)
    if (!std::isfinite(source->zero_floats[i]))
      return c.error(Code::kInvalidPlan, named("zero points", *zero) + ": expected finite numbers, got " +
                                             std::to_string(source->zero_floats[i]) + " at element " +
                                             std::to_string(i));
  return Status::Ok();
}

}  // namespace octavo::ops
