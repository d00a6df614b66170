#include "ops/product/bit_matmul.h"

#include "ops/product/bit_driver.h"
#include "ops/product/matmul_sizes.h"

namespace octavo {
namespace {

struct BitMatMulModel {
  ProductOperands operands;
  MatMulAttributes attributes;
  BitWeights weights;
};

class BoundBitMatMul final : public Bound {
 public:
  explicit BoundBitMatMul(const BitMatMulModel& model) : model_(model) {}

  Status prepare(BindContext& c) {
    MatMulSizes sizes;
    OCTAVO_RETURN_IF_ERROR(sizes.bind(c, step::QMatMul::kA, step::QMatMul::kB, model_.attributes));
    ParameterCounts counts;
    OCTAVO_RETURN_IF_ERROR(model_.operands.bind(c, sizes.n, 0, &counts));
    int64_t rows = 0;
    if (__builtin_mul_overflow(sizes.m, sizes.batches, &rows)) return c.error(Code::kLimit, "too many rows");
    tasks_ = BitTasks(model_.weights, rows);
    ScratchPlan shared, own;
    image_.add(&shared, model_.weights, rows);
    tile_.add(&own, model_.weights);
    if (!shared.fits() || !own.fits())
      return c.error(Code::kLimit, "a product of " + ops::dims_text(c.in(step::QMatMul::kA)));
    c.scratch(shared.bytes(), own.bytes());
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const BitWeights& w = model_.weights;
    return run_bit_product(c, model_.operands, w, tasks_, image_, tile_,
                           [&](const BitImage& image, bool, size_t, int64_t row, size_t m, const BitTileMemory& to) {
                             for (size_t r = 0; r < static_cast<size_t>(w.kernel->mr); ++r) {
                               const size_t from = static_cast<size_t>(row) + std::min(r, m - 1);
                               to.rows[r] = image.positive + from * w.words;
                               to.masks[r] = image.nonzero + from * w.words;
                               to.present[r] = image.present[from];
                               to.row_sums[r] = static_cast<uint32_t>(image.sums[from]);
                             }
                             return image.has_zeros;
                           });
  }

 private:
  const BitMatMulModel& model_;
  BitTasks tasks_;
  BitImageScratch image_;
  BitTileScratch tile_;
};

class BitMatMul final : public Op {
 public:
  Status load(const LoadContext& c) {
    OCTAVO_RETURN_IF_ERROR(model_.operands.load(c));
    model_.attributes.load(c);
    const TensorSpec& b = *c.input(step::QMatMul::kB);
    const bool trans_b = model_.attributes.trans_b;
    const size_t n = static_cast<size_t>(b.shape[trans_b ? 0 : 1]), k = static_cast<size_t>(b.shape[trans_b ? 1 : 0]);
    OCTAVO_RETURN_IF_ERROR(model_.operands.check_w_zero(c, static_cast<int64_t>(n)));
    const WeightSource source{
        b.data, 1, n, k, n * k, trans_b ? k : 1, trans_b ? 1 : n, {0}, model_.operands.w_format()};
    return pack_bits(c, model_.operands, source, &model_.weights);
  }
  Status bind(BindContext& c, std::unique_ptr<Bound>* bound) const override {
    auto made = std::make_unique<BoundBitMatMul>(model_);
    OCTAVO_RETURN_IF_ERROR(made->prepare(c));
    *bound = std::move(made);
    return Status::Ok();
  }
  std::string kernel() const override { return model_.weights.kernel->name; }
  bool reads_constant(int input) const override { return model_.operands.reads_constant(input); }
  size_t packed_bytes() const override { return model_.weights.bytes() + model_.operands.copied_bytes(); }

 private:
  BitMatMulModel model_;
};

}  // namespace

bool is_bit_matmul(const LoadContext& c) {
  const TensorSpec* b = c.input(step::QMatMul::kB);
  if (c.integer("ternary", 0) == 0 || b == nullptr || !b->constant || b->shape.rank != 2) return false;
  MatMulAttributes attributes;
  attributes.load(c);
  ProductOperands operands;
  return !attributes.trans_a && attributes.perm_a.empty() && attributes.perm_b.empty() && attributes.perm_y.empty() &&
         operands.load(c).ok() && takes_bits(c, operands);
}

Status make_bit_matmul(const LoadContext& context, std::unique_ptr<Op>* op) {
  auto made = std::make_unique<BitMatMul>();
  OCTAVO_RETURN_IF_ERROR(made->load(context));
  *op = std::move(made);
  return Status::Ok();
}

}  // namespace octavo
