#include "ops/product/block_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/product/block_pack.h"
#include "ops/product/weight_source.h"
#include "ops/support/float_constant.h"
#include "ops/support/half.h"

namespace octavo::ops {
namespace {

// Packed by one thread at a time.
constexpr size_t kPanelsOfTask = 8;

std::string named(const char* what, const TensorSpec& t) {
  return std::string(what) + (t.name.empty() ? "" : " \"" + t.name + "\"") + " " + dims_text(t.shape);
}

// A constant of float32 or float16 as float32, while weights are packed.
class RealNumbers {
 public:
  // Expects finite numbers.
  Status open(const LoadContext& c, const char* what, const TensorSpec& t) {
    const size_t count = static_cast<size_t>(t.shape.elements());
    if (!hold(t, count)) return c.error(Code::kOutOfMemory, what);
    for (size_t i = 0; i < count; ++i)
      if (!std::isfinite(data_[i]))
        return c.error(Code::kInvalidPlan, named(what, t) + ": expected finite numbers, got " +
                                               std::to_string(data_[i]) + " at element " + std::to_string(i));
    return Status::Ok();
  }
  const float* data() const { return data_; }

 private:
  bool hold(const TensorSpec& t, size_t count) {
    if (t.dtype == DType::kFloat32) {
      if (!floats_.open(t.data, t.byte_length)) return false;
      data_ = floats_.data();
      return true;
    }
    if (!widened_.allocate_unset(count * sizeof(float))) return false;
    for (size_t i = 0; i < count; ++i) {
      Float16 half;
      std::memcpy(&half, t.data + i * sizeof(half), sizeof(half));
      widened_.as<float>()[i] = static_cast<float>(half.value());
    }
    data_ = widened_.as<float>();
    return true;
  }

  FloatConstant floats_;
  AlignedBuffer widened_;
  const float* data_ = nullptr;
};

bool is_real(DType type) { return type == DType::kFloat32 || type == DType::kFloat16; }

// What a block of a column has one of: sizes, and where it lies.
struct BlockGrid {
  size_t rows, columns;
  bool trans_b;

  BlockGrid(const BlockLayout& l, bool trans_b)
      : rows(trans_b ? l.n : l.blocks), columns(trans_b ? l.blocks : l.n), trans_b(trans_b) {}
  // Rows of levels of less than a byte may be padded to whole ones.
  bool fits(const TensorSpec& t, bool padded) const {
    const Shape& s = t.shape;
    const int64_t expected = static_cast<int64_t>(columns);
    return s.rank == 2 && s[0] == static_cast<int64_t>(rows) && (padded ? s[1] >= expected : s[1] == expected) &&
           holds_elements(t, rows * static_cast<size_t>(s[1]));
  }
  template <class T>
  BlockNumbers<T> of(const T* data, size_t row) const {
    return {data, trans_b ? row : 1, trans_b ? 1 : row};
  }
  std::string expected() const { return ": expected [" + std::to_string(rows) + ", " + std::to_string(columns) + "]"; }
};

}  // namespace

Status BlockWeights::load(const LoadContext& c, const BlockOperands& operands) {
  const TensorSpec &b = *c.input(operands.b), &scale = *c.input(operands.scale);
  const TensorSpec* zero = c.input(operands.zero);
  if (!b.constant) return c.error(Code::kUnsupported, "weights that are not constant");
  if (!scale.constant) return c.error(Code::kUnsupported, "scales of blocks that are computed while running");
  if (zero != nullptr && !zero->constant)
    return c.error(Code::kUnsupported, "zero points of blocks that are computed while running");
  if (b.shape.rank != 2) return c.error(Code::kInvalidPlan, "expected b of rank 2, got " + dims_text(b.shape));
  const Format format = format_of(b.dtype);
  if (format.bits == 1) return c.error(Code::kUnsupported, "blocks of weights of 1 bit");
  layout_.bits = format.bits;
  layout_.n = static_cast<size_t>(b.shape[operands.trans_b ? 0 : 1]);
  layout_.k = static_cast<size_t>(b.shape[operands.trans_b ? 1 : 0]);
  if (!holds_elements(b, layout_.n * layout_.k))
    return c.error(Code::kInvalidPlan, named("b", b) + " of " + std::to_string(b.byte_length) + " bytes");
  if (operands.block_size < 1)
    return c.error(Code::kInvalidPlan,
                   "expected a block_size of 1 or more, got " + std::to_string(operands.block_size));
  if (operands.activation_block < 0 || operands.activation_block % static_cast<int64_t>(kBlockDepth) != 0)
    return c.error(Code::kInvalidPlan, "expected an activation_block that is a multiple of 16, got " +
                                           std::to_string(operands.activation_block));
  layout_.part = static_cast<size_t>(operands.activation_block);
  layout_.block = static_cast<size_t>(operands.block_size);
  if (!make_block_layout(&layout_))
    return c.error(Code::kUnsupported, named("b", b) + ": expected blocks of at least 16, or one block of all k, got " +
                                           std::to_string(operands.block_size));

  const BlockGrid grid(layout_, operands.trans_b);
  BlockSource source;
  source.levels = {b.data, format, operands.trans_b};
  RealNumbers scales, zeros;
  if (!grid.fits(scale, false)) return c.error(Code::kShape, named("scales", scale) + grid.expected());
  OCTAVO_RETURN_IF_ERROR(scales.open(c, "scales", scale));
  source.scales = grid.of(scales.data(), grid.columns);
  layout_.half_scales = std::all_of(scales.data(), scales.data() + grid.rows * grid.columns, is_half);

  layout_.zero = -format.low;
  if (zero != nullptr) {
    const bool real = is_real(zero->dtype);
    if (!real && zero->dtype != b.dtype)
      return c.error(Code::kInvalidPlan, named("zero points", *zero) + " of another type than b");
    if (!real && zero->shape.elements() == 1 && holds_elements(*zero, 1)) {
      layout_.zero = level_at(zero->data, 0, format) - format.low;
    } else {
      if (!grid.fits(*zero, !real)) return c.error(Code::kShape, named("zero points", *zero) + grid.expected());
      layout_.zeros = real ? BlockZeros::kFloats : BlockZeros::kLevels;
      if (real) OCTAVO_RETURN_IF_ERROR(zeros.open(c, "zero points", *zero));
      source.zero_floats = grid.of(zeros.data(), grid.columns);
      source.zero_levels = grid.of(zero->data, static_cast<size_t>(zero->shape[1]));
    }
  }

  // Again, with the sizes of scales and zero points.
  if (!make_block_layout(&layout_)) return c.error(Code::kLimit, named("b", b) + " is too big to pack");
  if (!packed_.allocate_in(c.store(), std::max<size_t>(1, layout_.bytes())))
    return c.error(Code::kOutOfMemory, "no memory for packed weights");
  const size_t tasks = (layout_.panels + kPanelsOfTask - 1) / kPanelsOfTask;
  c.pool().for_each(static_cast<int64_t>(tasks), [&](int64_t task, int) {
    const size_t first = static_cast<size_t>(task) * kPanelsOfTask;
    pack_blocks(layout_, source, first, std::min(first + kPanelsOfTask, layout_.panels), packed_.data());
  });
  return Status::Ok();
}

}  // namespace octavo::ops
