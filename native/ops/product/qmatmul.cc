// QMatMul: batched product of quantized matrices. A constant b is packed at load, another one in every run.
#include <algorithm>

#include "ops/product/bit_matmul.h"
#include "ops/product/matmul_sizes.h"
#include "ops/product/planes.h"
#include "ops/product/product_weights.h"
#include "ops/product/qgemm_driver.h"

namespace octavo {
namespace {

struct QMatMulModel {
  ProductOperands operands;
  MatMulAttributes attributes;
  bool b_constant = false;
  ProductWeights weights;  // of a constant b
};

class BoundQMatMul final : public Bound {
 public:
  explicit BoundQMatMul(const QMatMulModel& model) : model_(model) {}

  Status prepare(BindContext& c, const Tuning& tuning) {
    OCTAVO_RETURN_IF_ERROR(sizes_.bind(c, step::QMatMul::kA, step::QMatMul::kB, model_.attributes));
    shape_ = model_.weights.folded.shape;
    blocks_.kernel = model_.b_constant ? model_.weights.kernel : &choose_qgemm(sizes_.n, false);
    if (model_.b_constant) {
      blocks_.layout = model_.weights.layout;
    } else {
      if (!make_qgemm_layout(*blocks_.kernel, 1, static_cast<size_t>(sizes_.k), static_cast<size_t>(sizes_.n),
                             &blocks_.layout))
        return c.error(Code::kLimit, "b is too big to pack");
      shape_.groups = static_cast<size_t>(sizes_.b_batches);
      shape_.repeat = true;
      shape_.n = static_cast<size_t>(sizes_.n);
      shape_.padded = blocks_.layout.columns();
      shape_.depth = static_cast<uint64_t>(sizes_.k);
      shape_.a_signed = blocks_.kernel->a_signed();
      shape_.w_offset = model_.operands.w_format().is_signed ? 0 : 128;
    }
    int64_t a_rows = 0;
    if (__builtin_mul_overflow(sizes_.m, sizes_.a_batches, &a_rows)) return c.error(Code::kLimit, "too many rows");
    OCTAVO_RETURN_IF_ERROR(model_.operands.bind(c, sizes_.n, a_rows, &shape_.counts));
    flip_ = model_.operands.x_format().is_signed != blocks_.kernel->a_signed() ? 0x80 : 0;
    const bool wide = blocks_.wide = model_.operands.wide();
    copy_ = wide || flip_ != 0 || (sizes_.a_k != 1 && sizes_.k != 1);
    tall_ = stacked();
    blocks_.rows = sizes_.m;
    blocks_.batches = tall_ ? 1 : sizes_.batches;
    if (tall_ && __builtin_mul_overflow(sizes_.m, sizes_.batches, &blocks_.rows))
      return c.error(Code::kLimit, "too many rows");
    blocks_.plan(tuning);

    size_t a = 0, packed = 0;
    ScratchPlan shared, own;
    bool fits = !__builtin_mul_overflow(static_cast<size_t>(a_rows), static_cast<size_t>(sizes_.k), &a) &&
                !__builtin_mul_overflow(blocks_.layout.bytes(), shape_.groups, &packed);
    if (!model_.weights.folded.constant()) columns_.add(&shared, shape_.columns(), wide);
    if (!model_.b_constant) {
      sums_ = shared.add<int32_t>(shape_.columns());
      packed_ = shared.add<uint8_t>(packed);
    }
    plane_bytes_ = a;
    fits = fits && a <= PTRDIFF_MAX / 4;
    if (copy_) a_ = shared.add<uint8_t>(fits ? blocks_.planes() * a : 0, kReadSlack);
    tile_.add(&own, blocks_);
    fits = fits && shared.fits() && own.fits();
    if (!fits)
      return c.error(Code::kLimit, "a product of " + ops::dims_text(c.in(step::QMatMul::kA)) + " and " +
                                       ops::dims_text(c.in(step::QMatMul::kB)));
    c.scratch(shared.bytes(), own.bytes());
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    if (blocks_.tasks() == 0) return Status::Ok();
    void* shared = c.shared_scratch();
    const uint8_t* packed = model_.weights.packed.data();
    ProductShape shape = shape_;
    if (!model_.b_constant) {
      shape.sums = sums_.in(shared);
      packed = packed_.in(shared);
      pack(c, packed_.in(shared), sums_.in(shared));
    }
    ProductEpilogue epilogue;
    OCTAVO_RETURN_IF_ERROR(model_.weights.folded.epilogue(c, model_.operands, shape, columns_.in(shared), &epilogue));
    const uint8_t* a = c.in<uint8_t>(step::QMatMul::kA);
    if (copy_) {
      if (blocks_.wide) copy_rows(c, c.in<uint16_t>(step::QMatMul::kA), a_.in(shared));
      else copy_rows(c, a, a_.in(shared));
      a = a_.in(shared);
    }

    QGemmRun run;
    run.packed = packed;
    run.zeros = model_.weights.zeros.data();
    run.packed_stride = tall_ ? 0 : blocks_.layout.bytes();
    run.columns_stride = tall_ ? 0 : shape.padded;
    run.weights_of = tall_ ? nullptr : sizes_.b_of.data();
    run.out = c.out<uint8_t>(0);
    run.residual = model_.operands.has_residual() ? c.in<uint8_t>(ProductInput::kResidual) : nullptr;
    run.out_of = tall_ ? nullptr : sizes_.y_at.data();
    run.row_stride = sizes_.y_row;
    run.x_of = tall_ ? nullptr : sizes_.a_of.data();
    const size_t k = static_cast<size_t>(sizes_.k), a_row = copy_ ? k : sizes_.a_row;
    run_qgemm(c, blocks_, tile_, run, epilogue,
              [&](size_t batch, int64_t row, size_t m, const uint8_t** rows, int, size_t plane) {
                const size_t matrix = tall_ ? 0 : sizes_.a_of[batch];
                const uint8_t* from = a + plane * plane_bytes_ +
                                      (copy_ ? matrix * static_cast<size_t>(sizes_.m) * k : sizes_.a_at[matrix]) +
                                      static_cast<size_t>(row) * a_row;
                for (size_t r = 0; r < m; ++r) rows[r] = from + r * a_row;
                repeat_last_row(blocks_, m, rows);
              });
    return Status::Ok();
  }

 private:
  // One b for all, and the matrices of a and y one upon the other: they are one tall matrix.
  bool stacked() const {
    if (sizes_.b_batches != 1 || sizes_.a_batches != sizes_.batches) return false;
    for (size_t i = 0; i < sizes_.y_at.size(); ++i) {
      const size_t row = i * static_cast<size_t>(sizes_.m);
      if (sizes_.y_at[i] != row * sizes_.y_row || (!copy_ && sizes_.a_at[i] != row * sizes_.a_row)) return false;
    }
    return true;
  }

  void pack(RunContext& c, uint8_t* packed, int32_t* sums) const {
    const size_t panels = blocks_.layout.panels;
    QGemmSource source;
    source.k_stride = sizes_.b_k;
    source.n_stride = sizes_.b_n;
    source.flip = model_.operands.w_format().is_signed ? 0 : 0x80;
    const uint8_t* b = c.in<uint8_t>(step::QMatMul::kB);
    // About 16 KiB of weights to a task.
    const size_t step = std::max<size_t>(1, 16384 / std::max<size_t>(1, blocks_.layout.panel_bytes));
    const size_t pieces = (panels + step - 1) / step;
    c.pool().for_each(static_cast<int64_t>(pieces * shape_.groups), [&](int64_t task, int) {
      const size_t batch = static_cast<size_t>(task) / pieces, first = static_cast<size_t>(task) % pieces * step;
      QGemmSource matrix = source;
      matrix.data = b + sizes_.b_at[batch];
      blocks_.layout.pack(matrix, first, std::min(panels, first + step),
                          reinterpret_cast<int8_t*>(packed) + batch * blocks_.layout.bytes(),
                          sums + batch * shape_.padded);
    });
  }

  void copy_row(const uint8_t* in, size_t k, uint8_t* out) const {
    if (sizes_.a_k == 1)
      for (size_t i = 0; i < k; ++i) out[i] = in[i] ^ flip_;
    else
      for (size_t i = 0; i < k; ++i) out[i] = in[i * sizes_.a_k] ^ flip_;
  }
  void copy_row(const uint16_t* in, size_t k, uint8_t* out) const {
    const PlaneFlips flips(model_.operands.x_format().is_signed, shape_.a_signed);
    split_planes(in, sizes_.a_k, k, flips, out, out + plane_bytes_);
  }

  // a with its rows together and in the signedness of the kernel; of 16 bits in two planes.
  template <class T>
  void copy_rows(RunContext& c, const T* from, uint8_t* to) const {
    const size_t m = static_cast<size_t>(sizes_.m), k = static_cast<size_t>(sizes_.k);
    const size_t step = std::max<size_t>(1, 16384 / std::max<size_t>(1, k));
    const size_t pieces = (m + step - 1) / step;
    c.pool().for_each(static_cast<int64_t>(pieces) * sizes_.a_batches, [&](int64_t task, int) {
      const size_t batch = static_cast<size_t>(task) / pieces, first = static_cast<size_t>(task) % pieces * step;
      const size_t last = std::min(m, first + step);
      for (size_t r = first; r < last; ++r)
        copy_row(from + sizes_.a_at[batch] + r * sizes_.a_row, k, to + (batch * m + r) * k);
    });
  }

  const QMatMulModel& model_;
  MatMulSizes sizes_;
  ProductShape shape_;
  QGemmBlocks blocks_;
  bool tall_ = false, copy_ = false;
  uint8_t flip_ = 0;
  size_t plane_bytes_ = 0;  // of an a that is copied
  TileScratch tile_;
  ColumnScratch columns_;
  ScratchArray<int32_t> sums_;  // of a b that is packed in every run
  ScratchArray<uint8_t> packed_;
  ScratchArray<uint8_t> a_;  // copied
};

class QMatMul final : public Op {
 public:
  Status load(const LoadContext& c) {
    OCTAVO_RETURN_IF_ERROR(model_.operands.load(c));
    const TensorSpec& b = *c.input(step::QMatMul::kB);
    model_.attributes.load(c);
    model_.b_constant = b.constant && model_.attributes.perm_b.empty();
    tuning_ = &c.tuning();
    if (!model_.b_constant) {
      const int bits = model_.operands.w_format().bits;
      return bits == 8 ? Status::Ok() : c.error(Code::kUnsupported, "b of " + std::to_string(bits) + " bits, permuted");
    }
    const int rank = b.shape.rank;
    const bool trans_b = model_.attributes.trans_b;
    if (rank < 2) return c.error(Code::kInvalidPlan, "expected b of rank 2 or more, got " + ops::dims_text(b.shape));
    const size_t n = static_cast<size_t>(b.shape[rank - (trans_b ? 2 : 1)]);
    const size_t k = static_cast<size_t>(b.shape[rank - (trans_b ? 1 : 2)]);
    const size_t batches = static_cast<size_t>(ops::span(b.shape, 0, rank - 2));
    if (!holds_elements(b, batches * n * k))
      return c.error(Code::kInvalidPlan, "b of " + std::to_string(b.byte_length) + " bytes");
    OCTAVO_RETURN_IF_ERROR(model_.operands.check_w_zero(c, static_cast<int64_t>(n)));

    const WeightSource source{
        b.data, batches, n, k, n * k, trans_b ? k : 1, trans_b ? 1 : n, {0}, model_.operands.w_format()};
    PackingOptions options;
    options.range = weight_range(c, source, model_.operands, true);
    options.repeat = true;
    const QGemmKernel& kernel = choose_qgemm(static_cast<int64_t>(n), options.range.narrow);
    return pack_weights(c, model_.operands, source, options, kernel, &model_.weights);
  }
  Status bind(BindContext& c, std::unique_ptr<Bound>* bound) const override {
    auto made = std::make_unique<BoundQMatMul>(model_);
    OCTAVO_RETURN_IF_ERROR(made->prepare(c, *tuning_));
    *bound = std::move(made);
    return Status::Ok();
  }
  std::string kernel() const override {
    if (model_.b_constant) return model_.weights.kernel->name;
    const QGemmKernel* kernel = sole_qgemm(false);
    return kernel ? kernel->name : "chosen per size";
  }
  bool reads_constant(int input) const override {
    return (input == step::QMatMul::kB && !model_.b_constant) || model_.operands.reads_constant(input);
  }
  size_t packed_bytes() const override { return model_.weights.bytes() + model_.operands.copied_bytes(); }

 private:
  QMatMulModel model_;
  const Tuning* tuning_ = nullptr;
};

}  // namespace

Status make_qmatmul(const LoadContext& context, std::unique_ptr<Op>* op) {
  if (is_bit_matmul(context)) return make_bit_matmul(context, op);
  auto made = std::make_unique<QMatMul>();
  OCTAVO_RETURN_IF_ERROR(made->load(context));
  *op = std::move(made);
  return Status::Ok();
}

}  // namespace octavo
