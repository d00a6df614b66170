// MatMul of float32: y = fn(alpha * a b + beta * bias).
//
// A constant b is packed once, at load. Another b is packed at run, unless the rows are so few that it would cost as
// much as the product: then the kernels read b where it is, and only the columns past the last whole block are packed.
#include "ops/product/matmul.h"

#include <algorithm>

#include "ops/support/float_constant.h"
#include "ops/support/staged_rows.h"
#include "ops/move/strided_copy.h"

namespace octavo {
namespace ops {
namespace {

constexpr size_t kBlocksOfTask = 8;  // of a constant b that are packed together

}  // namespace

Status MatMulAttributes::load(const LoadContext& c) {
  trans_a = c.integer("trans_a", 0) != 0;
  trans_b = c.integer("trans_b", 0) != 0;
  alpha = c.number("alpha", 1.0f);
  beta = c.number("beta", 1.0f);
  plain = c.text("fn", "none") == "none";
  OCTAVO_RETURN_IF_ERROR(epilogue.load(c));
  const TensorSpec& b = *c.input(1);
  is_float = c.output(0).dtype == DType::kFloat32;
  if (!is_float || !b.constant || b.dtype != DType::kFloat32 || b.rank < 1) return Status::Ok();
  const Shape& s = b.shape;
  const int64_t n = s.rank == 1 ? 1 : s[s.rank - (trans_b ? 2 : 1)],
                k = s.rank == 1 ? s[0] : s[s.rank - (trans_b ? 1 : 2)];
  const int64_t batch = s.rank > 2 ? span(s, 0, s.rank - 2) : 1;
  const SgemmKernel& kernel = sgemm_kernel();
  const size_t nr = kernel.nr, blocks = (static_cast<size_t>(n) + nr - 1) / nr,
               matrix = sgemm_packed_size(kernel, k, n);
  FloatConstant source;
  if (n > PTRDIFF_MAX / 64 || (matrix != 0 && static_cast<size_t>(batch) > PTRDIFF_MAX / sizeof(float) / matrix) ||
      !packed.allocate_in(c.store(), std::max<size_t>(1, matrix * batch) * sizeof(float)) ||
      !source.open(b.data, b.byte_length))
    return c.error(Code::kOutOfMemory, "no memory for packed weights");
  const size_t tasks = (blocks + kBlocksOfTask - 1) / kBlocksOfTask;
  c.pool().for_each(batch * static_cast<int64_t>(tasks), [&](int64_t task, int) {
    const size_t i = static_cast<size_t>(task) / tasks, first = static_cast<size_t>(task) % tasks * kBlocksOfTask;
    sgemm_pack(kernel, source.data() + i * static_cast<size_t>(k * n), k, n, trans_b ? 1 : n, trans_b ? k : 1, alpha,
               first, std::min(blocks, first + kBlocksOfTask), packed.as<float>() + i * matrix);
  });
  return Status::Ok();
}

}  // namespace ops

namespace {

using ops::MatMulAttributes;

constexpr int64_t kFewRows = 3;
constexpr int64_t kTaskFlops = 4 << 20;
constexpr int64_t kPanelBytes = 256 * 1024;  // of packed b that a task walks over and over: half of a small L2

class MatMul final : public Bound {
 public:
  Status prepare(const MatMulAttributes& a, BindContext& c) {
    for (int i = 0; i < 3; ++i)
      if (c.has_input(i) && c.in_type(i) != DType::kFloat32)
        return c.error(Code::kUnsupported, std::string("expected float32, got ") + dtype_name(c.in_type(i)));
    OCTAVO_RETURN_IF_ERROR(s_.read(c, a.trans_a, a.trans_b));
    a_ = &a;
    constant_ = a.packed.as<float>();
    if (s_.b_batch == 1 && !a.trans_a) {  // one tall product
      s_.m *= s_.batch;
      s_.batch = s_.a_batch = 1;
      s_.axes = 0;
    }
    if (c.has_input(2) && a.beta != 0.0f) {
      const Shape& bias = c.in(2);
      row_bias_ = a.beta == 1.0f && bias.rank >= 1 && bias[bias.rank - 1] == s_.n && bias.elements() == s_.n;
      if (!row_bias_) {
        bias_pass_ = true;
        OCTAVO_RETURN_IF_ERROR(bias_.prepare(c, 2));
      }
    }
    const int64_t nr = static_cast<int64_t>(kernel_.nr), mr = static_cast<int64_t>(kernel_.mr);
    blocks_ = (s_.n + nr - 1) / nr;
    direct_ = constant_ == nullptr && s_.m <= kFewRows && !a.trans_b && a.alpha == 1.0f;
    const int64_t packed_blocks = constant_ != nullptr ? 0 : direct_ ? (s_.n % nr != 0) : blocks_;
    matrix_ = s_.k * nr * (direct_ ? 1 : blocks_);
    const int64_t limit = static_cast<int64_t>(PTRDIFF_MAX / sizeof(float)) / 4;
    const int64_t packed_floats = packed_blocks == 0 ? 0 : matrix_ * s_.b_batch,
                  a_floats = a.trans_a ? s_.a_batch * s_.m * s_.k : 0;
    if (packed_floats > limit || a_floats > limit) return c.error(Code::kLimit, "matrices too large to pack");
    a_scratch_ = (packed_floats + 15) / 16 * 16;
    staged_ = ops::rows_collide(kernel_, s_.k, s_.k);
    c.scratch(static_cast<size_t>(a_scratch_ + a_floats) * sizeof(float),
              staged_ ? static_cast<size_t>(ops::staged_floats(mr, s_.k)) * sizeof(float) : 0);
    if (a.trans_a) {
      const ops::CopyAxis axes[] = {{s_.a_batch, s_.m * s_.k, s_.m * s_.k}, {s_.m, 1, s_.k}, {s_.k, s_.m, 1}};
      transpose_.plan(axes, 3, sizeof(float));
    }
    const int64_t depth = std::max<int64_t>(1, s_.k);
    task_blocks_ = std::max<int64_t>(1, std::min(blocks_, kPanelBytes / 4 / depth / nr));
    const int64_t tiles = std::max<int64_t>(1, (s_.m + mr - 1) / mr);
    height_ = std::max<int64_t>(1, (s_.m + tiles - 1) / tiles);
    task_rows_ = std::max<int64_t>(1, kTaskFlops / (2 * depth * nr * task_blocks_) / height_) * height_;
    column_tasks_ = (blocks_ + task_blocks_ - 1) / task_blocks_;
    row_tasks_ = (s_.m + task_rows_ - 1) / task_rows_;
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const float* a = c.in<float>(0);
    float* scratch = static_cast<float*>(c.shared_scratch());
    if (a_->trans_a) {
      transpose_.run(a, scratch + a_scratch_, c.pool());
      a = scratch + a_scratch_;
    }
    if (constant_ == nullptr) pack(c, scratch);
    const float* packed = constant_ != nullptr ? constant_ : scratch;
    c.pool().for_each(s_.batch * row_tasks_ * column_tasks_,
                      [&](int64_t task, int thread) { multiply(c, a, packed, task, thread); });
    if (bias_pass_) {
      const int64_t total = bias_.elements(), part = 16384;
      c.pool().for_each((total + part - 1) / part, [&](int64_t task, int) {
        bias_.range(c.out<float>(0), c.in<float>(2), task * part, std::min(total, (task + 1) * part),
                    [&](float y, float v) { return a_->epilogue(y + a_->beta * v); });
      });
    }
    return Status::Ok();
  }

 private:
  void pack(RunContext& c, float* scratch) const {
    const int64_t nr = static_cast<int64_t>(kernel_.nr);
    const float* b = c.in<float>(1);
    const bool t = a_->trans_b;
    if (direct_) {
      const int64_t tail = s_.n / nr * nr, columns = s_.n - tail;
      if (columns == 0) return;
      for (int64_t i = 0; i < s_.b_batch; ++i)
        sgemm_pack(kernel_, b + i * s_.k * s_.n + tail, s_.k, columns, s_.n, 1, 1.0f, 0, 1, scratch + i * matrix_);
      return;
    }
    c.pool().for_each(s_.b_batch * blocks_, [&](int64_t task, int) {
      const int64_t i = task / blocks_, block = task % blocks_;
      sgemm_pack(kernel_, b + i * s_.k * s_.n, s_.k, s_.n, t ? 1 : s_.n, t ? s_.k : 1, a_->alpha, block, block + 1,
                 scratch + i * matrix_);
    });
  }

  void multiply(const RunContext& c, const float* a, const float* packed, int64_t task, int thread) const {
    const int64_t nr = static_cast<int64_t>(kernel_.nr);
    const int64_t row_task = task % row_tasks_, column_task = task / row_tasks_ % column_tasks_,
                  index = task / row_tasks_ / column_tasks_;
    int64_t ai, bi;
    s_.operands(index, &ai, &bi);
    a += ai * s_.m * s_.k;
    float* y = c.out<float>(0) + index * s_.m * s_.n;
    const float* b = c.in<float>(1) + bi * s_.k * s_.n;
    const float* bias = row_bias_ ? c.in<float>(2) : nullptr;
    const ops::FloatEpilogue epilogue = bias_pass_ ? ops::FloatEpilogue() : a_->epilogue;
    const int64_t first = column_task * task_blocks_, last = std::min(blocks_, first + task_blocks_);
    const int64_t end = std::min(s_.m, (row_task + 1) * task_rows_);
    const float* rows_in[kSgemmMaxRows];
    float* rows_out[kSgemmMaxRows];
    for (int64_t row = row_task * task_rows_; row < end; row += height_) {
      const int64_t rows = std::min(height_, end - row);
      for (int64_t i = 0; i < rows; ++i) {
        rows_in[i] = a + (row + i) * s_.k;
        rows_out[i] = y + (row + i) * s_.n;
      }
      if (staged_ && rows > 1) ops::stage_rows(rows_in, rows, s_.k, static_cast<float*>(c.thread_scratch(thread)));
      for (int64_t block = first; block < last; ++block) {
        const int64_t n = block * nr, columns = std::min(nr, s_.n - n);
        const bool in_place = direct_ && columns == nr;
        const float* panel = in_place ? b + n : packed + bi * matrix_ + (direct_ ? 0 : block * nr * s_.k);
        kernel_.tile({static_cast<size_t>(rows), static_cast<size_t>(columns), 1, static_cast<size_t>(s_.k), rows_in,
                      panel, static_cast<size_t>(in_place ? s_.n : nr), bias != nullptr ? bias + n : nullptr, nullptr,
                      epilogue.lo, epilogue.hi, rows_out, static_cast<size_t>(n)});
      }
    }
  }

  const SgemmKernel& kernel_ = sgemm_kernel();
  const MatMulAttributes* a_ = nullptr;  // of the operator, which outlives its bindings
  const float* constant_ = nullptr;
  ops::MatMulShape s_;
  ops::BiasPass bias_;
  ops::StridedCopy transpose_;
  bool staged_ = false, direct_ = false, row_bias_ = false, bias_pass_ = false;
  int64_t blocks_ = 0, matrix_ = 0, a_scratch_ = 0;  // matrix_, a_scratch_: floats
  int64_t task_blocks_ = 1, task_rows_ = 1, height_ = 1, column_tasks_ = 0, row_tasks_ = 0;
};

class MatMulOp final : public Op {
 public:
  explicit MatMulOp(MatMulAttributes attributes) : attributes_(std::move(attributes)) {}
  Status bind(BindContext& c, std::unique_ptr<Bound>* bound) const override {
    size_t width;
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 0, &width));
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 1, &width));
    if (c.has_input(2)) OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 2, &width));
    if (!attributes_.is_float) return ops::bind_plain_matmul(attributes_, c, bound);
    auto made = std::make_unique<MatMul>();
    OCTAVO_RETURN_IF_ERROR(made->prepare(attributes_, c));
    *bound = std::move(made);
    return Status::Ok();
  }
  std::string kernel() const override { return attributes_.is_float ? sgemm_kernel().name : std::string(); }
  bool reads_constant(int input) const override { return input != 1 || attributes_.packed.data() == nullptr; }
  size_t packed_bytes() const override { return attributes_.packed.bytes(); }

 private:
  MatMulAttributes attributes_;
};

}  // namespace

Status make_matmul(const LoadContext& c, std::unique_ptr<Op>* op) {
  MatMulAttributes attributes;
  OCTAVO_RETURN_IF_ERROR(attributes.load(c));
  *op = std::make_unique<MatMulOp>(std::move(attributes));
  return Status::Ok();
}

}  // namespace octavo
