// GatherBlocks: out[outer, k..., inner] = (x[outer, indices[k...], inner] - zp) * scale, for levels of 2, 4 or 8 bits
// with a scale for each block of `block_size` of them along quantize_axis. Only what is picked is unpacked; x stays as
// it is.
#include <algorithm>

#include "kernels/q8/q8.h"
#include "ops/move/copy_elements.h"
#include "ops/steps.h"
#include "ops/support/half.h"
#include "ops/support/indices.h"
#include "ops/support/op_support.h"
#include "ops/support/unpack_levels.h"

namespace octavo {
namespace {

using step::GatherBlocks;

constexpr int64_t kPiece = 256;  // levels unpacked at once, on the stack

struct Attributes {
  int64_t axis = 0, quantize_axis = -1, block_size = 0;
  Status load(const LoadContext& c) {
    axis = c.integer("axis", 0);
    quantize_axis = c.integer("quantize_axis", 1);
    block_size = c.integer("block_size", 0);
    if (block_size < 1)
      return c.error(Code::kInvalidPlan, "expected block_size of at least 1, got " + std::to_string(block_size));
    const TensorSpec *x = c.input(GatherBlocks::kX), *zp = c.input(GatherBlocks::kZeroPoint);
    if (zp != nullptr && zp->dtype != x->dtype)
      return c.error(Code::kInvalidPlan, "the zero points have another type than the levels");
    return Status::Ok();
  }
};

class Gather final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    const Shape &x = c.in(GatherBlocks::kX), &indices = c.in(GatherBlocks::kIndices);
    OCTAVO_RETURN_IF_ERROR(ops::Indices::check_type(c, GatherBlocks::kIndices));
    if (a.axis < 0 || a.axis >= x.rank || a.quantize_axis < 0 || a.quantize_axis >= x.rank)
      return c.error(Code::kInvalidPlan, "expected axes of " + ops::dims_text(x) + ", got " + std::to_string(a.axis) +
                                             " and " + std::to_string(a.quantize_axis));
    if (x.rank - 1 + indices.rank > kMaxRank) return c.error(Code::kUnsupported, "an output of more than 8 axes");
    axis_ = static_cast<int>(a.axis);
    const int q = static_cast<int>(a.quantize_axis);
    Shape expected, scales = x;
    for (int i = 0; i < axis_; ++i) expected.dims[expected.rank++] = x[i];
    for (int i = 0; i < indices.rank; ++i) expected.dims[expected.rank++] = indices[i];
    for (int i = axis_ + 1; i < x.rank; ++i) expected.dims[expected.rank++] = x[i];
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", expected, c.out(0)));
    blocks_ = x[q] / a.block_size + (x[q] % a.block_size != 0);
    scales.dims[q] = blocks_;
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "scale", scales, c.in(GatherBlocks::kScale)));
    if (c.has_input(GatherBlocks::kZeroPoint)) OCTAVO_RETURN_IF_ERROR(zero_points(c, scales));
    block_ = a.block_size;
    index_type_ = c.in_type(GatherBlocks::kIndices);
    format_ = format_of(c.in_type(GatherBlocks::kX));
    half_ = c.in_type(GatherBlocks::kScale) == DType::kFloat16;
    outer_ = ops::span(x, 0, axis_);
    bound_ = x[axis_];
    count_ = indices.elements();
    inner_ = ops::span(x, axis_ + 1, x.rank);
    length_ = x[q];
    run_ = ops::span(x, q + 1, x.rank);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const ops::Indices indices(c.input(GatherBlocks::kIndices), index_type_);
    OCTAVO_RETURN_IF_ERROR(indices.check(c, count_, bound_, axis_));
    if (inner_ == 0 || count_ == 0) return Status::Ok();
    float* y = c.out<float>(0);
    const int64_t total = outer_ * count_, group = ops::items_per_task(inner_ * static_cast<int64_t>(sizeof(float)));
    c.pool().for_each((total + group - 1) / group, [&](int64_t task, int) {
      const int64_t end = std::min(total, (task + 1) * group);
      for (int64_t i = task * group; i < end; ++i)
        row(c, (i / count_ * bound_ + indices.at(i % count_, bound_)) * inner_, y + i * inner_);
    });
    return Status::Ok();
  }

 private:
  // One, or as the scales, but that a row may end with levels that belong to none: rows of zero points are whole bytes.
  Status zero_points(BindContext& c, const Shape& scales) {
    const Shape& z = c.in(GatherBlocks::kZeroPoint);
    one_zero_ = z.elements() == 1;
    if (one_zero_) return Status::Ok();
    Shape same = scales;
    const int last = scales.rank - 1;
    if (z.rank == scales.rank && z[last] > scales[last]) same.dims[last] = z[last];
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "zero point", same, z));
    scale_row_ = scales[last];
    zero_row_ = z[last];
    return Status::Ok();
  }
  float scale(const RunContext& c, int64_t i) const {
    if (!half_) return c.in<float>(GatherBlocks::kScale)[i];
    return static_cast<float>(ops::Float16{c.in<uint16_t>(GatherBlocks::kScale)[i]}.value());
  }
  int32_t zero(const RunContext& c, int64_t i) const {
    const void* zp = c.input(GatherBlocks::kZeroPoint);
    if (zp == nullptr) return 0;
    if (one_zero_) i = 0;
    else if (zero_row_ != scale_row_) i = i / scale_row_ * zero_row_ + i % scale_row_;
    return level_at(zp, static_cast<size_t>(i), format_);
  }
  // The inner_ elements from element `from` of x on.
  void row(RunContext& c, int64_t from, float* y) const {
    const auto* x = c.in<uint8_t>(GatherBlocks::kX);
    uint8_t levels[kPiece];
    for (int64_t done = 0; done < inner_;) {
      // Where the element is: [.., of length_ along the quantized axis, of run_ after it].
      const int64_t at = from + done, place = at / run_ % length_, block = place / block_;
      const int64_t scale_at = (at / run_ / length_ * blocks_ + block) * run_ + at % run_;
      const int64_t same = run_ == 1 ? std::min((block + 1) * block_, length_) - place : run_ - at % run_;
      const int64_t n = std::min({same, inner_ - done, kPiece});
      unpack_levels(x, static_cast<size_t>(at), static_cast<size_t>(n), format_, levels);
      if (run_ == 1) {
        const bool is_signed = format_.bits < 8 || format_.is_signed;  // unpacked levels of less than 8 bits are int8
        q8_kernels().dequantize(levels, is_signed, y + done, n, scale(c, scale_at), zero(c, scale_at));
      } else {
        for (int64_t i = 0; i < n; ++i) {
          const int32_t level =
              level_at(levels, static_cast<size_t>(i), Format{8, format_.bits < 8 || format_.is_signed});
          y[done + i] = static_cast<float>(level - zero(c, scale_at + i)) * scale(c, scale_at + i);
        }
      }
      done += n;
    }
  }

  int axis_ = 0;
  DType index_type_ = DType::kInt64;
  Format format_;
  bool half_ = false, one_zero_ = false;
  int64_t outer_ = 0, bound_ = 0, count_ = 0, inner_ = 0;
  int64_t length_ = 1, run_ = 1, block_ = 1, blocks_ = 1;  // elements of the quantized axis, and after each of them
  int64_t scale_row_ = 1, zero_row_ = 1;
};

}  // namespace

Status make_gather_blocks(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, Gather>(c, op);
}

}  // namespace octavo
