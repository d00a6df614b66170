// BlockMatMul: rows of floats by constant weights of 8, 4 or 2 bits with a scale for each block of k, which stay packed
// (kernels/blockgemm). The rows become int8 part by part, or stay float.
#include <algorithm>

#include "ops/product/block_weights.h"
#include "ops/steps.h"
#include "ops/support/chunks.h"
#include "ops/support/float_constant.h"
#include "ops/support/scratch_plan.h"

namespace octavo {
namespace {

using step::BlockMatMul;

constexpr size_t kTaskRows = 32;
constexpr size_t kTaskProducts = 1 << 18;

struct Attributes {
  ops::BlockWeights weights;
  bool integer = true;
  std::vector<float> table;

  Status load(const LoadContext& c) {
    integer = c.text("activations", "block") == "block";
    const ops::BlockOperands operands{BlockMatMul::kB,
                                      BlockMatMul::kScale,
                                      BlockMatMul::kZeroPoint,
                                      c.integer("block_size", 0),
                                      c.integer("activation_block", 0),
                                      c.integer("trans_b", 0) != 0};
    OCTAVO_RETURN_IF_ERROR(weights.load(c, operands));
    const TensorSpec* numbers = c.input(BlockMatMul::kTable);
    if (numbers == nullptr) return Status::Ok();
    const size_t levels = size_t{1} << weights.layout().bits;
    if (integer) return c.error(Code::kInvalidPlan, "a table of levels goes with float activations");
    if (!numbers->constant || numbers->byte_length != levels * sizeof(float))
      return c.error(Code::kInvalidPlan, "expected a constant table of " + std::to_string(levels) + " numbers");
    FloatConstant floats;
    if (!floats.open(numbers->data, numbers->byte_length)) return c.error(Code::kOutOfMemory, "table");
    table.assign(floats.data(), floats.data() + levels);
    return Status::Ok();
  }
  std::string kernel() const { return blockgemm_kernel().name; }
  bool reads_constant(int input) const { return input == BlockMatMul::kA || input == BlockMatMul::kBias; }
  size_t packed_bytes() const { return weights.bytes(); }
};

class BoundBlockMatMul final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = &a;
    const BlockLayout& l = a.weights.layout();
    const Shape &x = c.in(BlockMatMul::kA), &y = c.out(0);
    if (x.rank < 1) return c.error(Code::kShape, "expected a of rank 1 or more");
    const int64_t k = x[x.rank - 1];
    // b may be longer than a up to the end of its last block.
    const bool fits = k >= 0 && static_cast<size_t>(k) <= l.k &&
                      (static_cast<size_t>(k) == l.k || (static_cast<size_t>(k) + l.block - 1) / l.block == l.blocks);
    if (!fits)
      return c.error(Code::kShape, "a " + ops::dims_text(x) + ": expected a last axis of " + std::to_string(l.k));
    Shape expected = x;
    expected.dims[x.rank - 1] = static_cast<int64_t>(l.n);
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", expected, y));
    has_bias_ = c.has_input(BlockMatMul::kBias);
    if (has_bias_ && c.in(BlockMatMul::kBias).elements() != static_cast<int64_t>(l.n))
      return c.error(Code::kShape,
                     "bias " + ops::dims_text(c.in(BlockMatMul::kBias)) + ": expected [" + std::to_string(l.n) + "]");
    k_ = static_cast<size_t>(k);
    rows_ = static_cast<size_t>(ops::span(x, 0, x.rank - 1));
    ScratchPlan plan;
    if (has_bias_) bias_ = plan.add<float>(l.panels * kBlockColumns);
    if (a.integer) {
      size_t bytes = 0, parts = 0;
      if (__builtin_mul_overflow(rows_, l.depth, &bytes) || __builtin_mul_overflow(rows_, l.parts, &parts))
        return c.error(Code::kLimit, "too many rows");
      q_ = plan.add<int8_t>(bytes, kBlockUnit);
      scales_ = plan.add<float>(parts);
      sums_ = plan.add<int32_t>(parts);
    }
    if (!plan.fits()) return c.error(Code::kLimit, "a " + ops::dims_text(x) + " is too big");
    c.scratch(plan.bytes(), 0);
    const size_t tall = std::min(std::max<size_t>(1, rows_), kTaskRows);
    panels_ = std::max<size_t>(1, kTaskProducts / std::max<size_t>(1, tall * l.depth * kBlockColumns));
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const BlockLayout& l = attributes_->weights.layout();
    if (rows_ == 0 || l.n == 0) return Status::Ok();
    void* shared = c.shared_scratch();
    const BlockGemmKernel& kernel = blockgemm_kernel();
    const float* x = c.in<float>(BlockMatMul::kA);
    const float* bias = nullptr;
    if (has_bias_) {
      float* padded = bias_.in(shared);
      const float* given = c.in<float>(BlockMatMul::kBias);
      std::copy(given, given + l.n, padded);
      std::fill(padded + l.n, padded + l.panels * kBlockColumns, 0.0f);
      bias = padded;
    }
    const bool integer = attributes_->integer;
    int8_t* q = integer ? q_.in(shared) : nullptr;
    float* scales = integer ? scales_.in(shared) : nullptr;
    int32_t* sums = integer ? sums_.in(shared) : nullptr;
    if (integer)
      ops::for_rows(c.pool(), static_cast<int64_t>(rows_), static_cast<int64_t>(k_), [&](int64_t row) {
        const size_t r = static_cast<size_t>(row);
        kernel.quantize(l, x + r * k_, k_, q + r * l.depth, scales + r, sums + r, rows_);
      });
    const size_t pieces = (l.panels + panels_ - 1) / panels_, heights = (rows_ + kTaskRows - 1) / kTaskRows;
    float* y = c.out<float>(0);
    c.pool().for_each(static_cast<int64_t>(pieces * heights), [&](int64_t task, int) {
      const size_t first = static_cast<size_t>(task) % pieces * panels_,
                   row = static_cast<size_t>(task) / pieces * kTaskRows, column = first * kBlockColumns;
      BlockGemm g{};
      g.layout = &l;
      g.packed = attributes_->weights.panel(first);
      g.panels = std::min(panels_, l.panels - first);
      g.columns = std::min(g.panels * kBlockColumns, l.n - column);
      g.rows = std::min(kTaskRows, rows_ - row);
      if (integer) g.quantized = {q + row * l.depth, scales + row, sums + row, rows_};
      g.x = x + row * k_;
      g.x_stride = k_;
      g.x_depth = k_;
      g.table = attributes_->table.empty() ? nullptr : attributes_->table.data();
      g.bias = bias == nullptr ? nullptr : bias + column;
      g.c = y + row * l.n + column;
      g.c_stride = l.n;
      (integer ? kernel.integer : kernel.real)(g);
    });
    return Status::Ok();
  }

 private:
  const Attributes* attributes_ = nullptr;
  bool has_bias_ = false;
  size_t k_ = 0, rows_ = 0, panels_ = 1;
  ScratchArray<float> bias_, scales_;
  ScratchArray<int8_t> q_;
  ScratchArray<int32_t> sums_;
};

}  // namespace

Status make_block_matmul(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, BoundBlockMatMul>(c, op);
}

}  // namespace octavo
