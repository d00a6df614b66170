// QConvTranspose as one convolution per phase of the stride: outputs whose (position + pad) leaves the same rest
// modulo the stride see the same taps of the kernel, and no others. No scattered sums, no zeros multiplied.
#include <algorithm>

#include "ops/conv/conv_geometry.h"
#include "ops/product/planes.h"
#include "ops/product/product_weights.h"
#include "ops/product/qgemm_driver.h"

namespace octavo {
namespace {

constexpr int64_t kMostPhases = 4096;

struct Phase {
  int64_t rest[2] = {0, 0};
  std::vector<int64_t> taps[2];  // kernel positions along each axis
  ProductWeights weights;
};

struct TransposeModel {
  ProductOperands operands;
  ConvWindow window;
  std::vector<Phase> phases;
  int64_t channels = 0, out_channels = 0;
};

class BoundQConvTranspose final : public Bound {
 public:
  explicit BoundQConvTranspose(const TransposeModel& model) : model_(model) {}

  Status prepare(BindContext& c, const Tuning& tuning) {
    const ConvWindow& w = model_.window;
    OCTAVO_RETURN_IF_ERROR(sizes_.bind(c, w, model_.channels, model_.out_channels));
    for (int axis = 0; axis < 2; ++axis) {
      const int64_t least = w.stride[axis] * (sizes_.in[axis] - 1) + w.dilation[axis] * (w.kernel[axis] - 1) + 1 -
                            sizes_.begin[axis] - sizes_.end[axis];
      const int64_t more = sizes_.out[axis] - least, most = std::max(w.stride[axis], w.dilation[axis]);
      if (sizes_.in[axis] > 0 && (more < 0 || more > most))
        return c.error(Code::kShape, "output " + ops::dims_text(c.out(0)) + " of input " + ops::dims_text(c.in(0)) +
                                         ": expected " + std::to_string(least) + " to " + std::to_string(least + most) +
                                         " on axis " + std::to_string(axis - 2 + w.spatial));
    }
    const QGemmKernel& kernel = *model_.phases[0].weights.kernel;
    wide_ = model_.operands.wide();
    copy_ = wide_ || model_.operands.x_format().is_signed != kernel.a_signed();

    ScratchPlan shared;
    size_t columns = 0;  // most of a phase: they run one after the other
    size_t per_thread = 0;
    for (const Phase& phase : model_.phases) {
      Part part;
      part.phase = &phase;
      part.shape = phase.weights.folded.shape;
      OCTAVO_RETURN_IF_ERROR(model_.operands.bind(c, model_.out_channels, 0, &part.shape.counts));
      int64_t count[2];
      for (int axis = 0; axis < 2; ++axis) {
        const int64_t s = w.stride[axis];
        part.first[axis] = ((phase.rest[axis] - sizes_.begin[axis]) % s + s) % s;
        count[axis] = sizes_.out[axis] <= part.first[axis] ? 0 : (sizes_.out[axis] - part.first[axis] - 1) / s + 1;
      }
      part.lines = count[0];
      part.blocks.kernel = &kernel;
      part.blocks.layout = phase.weights.layout;
      part.blocks.rows = count[1];
      part.blocks.wide = wide_;
      if (__builtin_mul_overflow(sizes_.batch * count[0], w.group, &part.blocks.batches))
        return c.error(Code::kLimit, "too many rows");
      part.blocks.plan(tuning);
      const size_t n = phase.weights.layout.n;
      for (int64_t i = 0; count[1] > 0 && i < part.blocks.batches; ++i) {
        const int64_t g = i % w.group, line = i / w.group % count[0], image = i / w.group / count[0];
        const int64_t y = part.first[0] + line * w.stride[0];
        part.out_of.push_back(
            static_cast<size_t>(((image * sizes_.out[0] + y) * sizes_.out[1] + part.first[1]) * sizes_.out_channels) +
            static_cast<size_t>(g) * n);
        part.weights_of.push_back(static_cast<size_t>(g));
      }
      ScratchPlan tile;
      part.tile.add(&tile, part.blocks);
      if (!tile.fits()) return c.error(Code::kLimit, "too many taps");
      per_thread = std::max(per_thread, tile.bytes());
      columns = std::max(columns, part.shape.columns());
      parts_.push_back(std::move(part));
    }
    columns_.add(&shared, columns, wide_);
    plane_bytes_ = static_cast<size_t>(c.in(ProductInput::kX).elements());
    zeros_bytes_ = static_cast<size_t>(sizes_.channels) + kReadSlack;
    zeros_ = shared.add<uint8_t>((wide_ ? 2 : 1) * zeros_bytes_);
    if (copy_) copied_ = shared.add<uint8_t>((wide_ ? 2 : 1) * plane_bytes_, kReadSlack);
    if (!shared.fits()) return c.error(Code::kLimit, "an image of " + ops::dims_text(c.in(ProductInput::kX)));
    c.scratch(shared.bytes(), per_thread);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    void* shared = c.shared_scratch();
    const uint8_t* image = c.in<uint8_t>(ProductInput::kX);
    if (copy_) {
      const int64_t size = sizes_.batch * sizes_.in[0] * sizes_.in[1] * sizes_.channels;
      uint8_t* to = copied_.in(shared);
      const uint16_t* halves = c.in<uint16_t>(ProductInput::kX);
      const PlaneFlips flips(model_.operands.x_format().is_signed, model_.phases[0].weights.kernel->a_signed());
      constexpr int64_t kPiece = 16384;
      c.pool().for_each((size + kPiece - 1) / kPiece, [&](int64_t task, int) {
        if (wide_) {
          const int64_t first = task * kPiece, count = std::min(size, first + kPiece) - first;
          split_planes(halves + first, 1, static_cast<size_t>(count), flips, to + first, to + plane_bytes_ + first);
          return;
        }
        for (int64_t i = task * kPiece; i < std::min(size, (task + 1) * kPiece); ++i) to[i] = image[i] ^ 0x80;
      });
      image = to;
    }
    for (const Part& part : parts_) {
      if (part.blocks.tasks() == 0) continue;
      const ProductWeights& weights = part.phase->weights;
      ProductEpilogue epilogue;
      OCTAVO_RETURN_IF_ERROR(weights.folded.epilogue(c, model_.operands, part.shape, columns_.in(shared), &epilogue));
      uint8_t* zeros = zeros_.in(shared);
      const PlaneZeros zero(epilogue.x_zero, part.shape.a_signed);
      std::memset(zeros, wide_ ? zero.upper : epilogue.x_zero & 0xFF, zeros_bytes_);
      if (wide_) std::memset(zeros + zeros_bytes_, zero.lower, zeros_bytes_);
      QGemmRun run;
      run.packed = weights.packed.data();
      run.zeros = weights.zeros.data();
      run.packed_stride = part.blocks.layout.bytes();
      run.columns_stride = part.shape.padded;
      run.weights_of = part.weights_of.data();
      run.out = c.out<uint8_t>(0);
      run.out_of = part.out_of.data();
      run.row_stride = static_cast<size_t>(model_.window.stride[1] * sizes_.out_channels);
      run_qgemm(c, part.blocks, part.tile, run, epilogue,
                [&](size_t batch, int64_t row, size_t m, const uint8_t** rows, int, size_t plane) {
                  fill(part, image + plane * plane_bytes_, zeros + plane * zeros_bytes_, static_cast<int64_t>(batch),
                       row, m, rows);
                  repeat_last_row(part.blocks, m, rows);
                });
    }
    return Status::Ok();
  }

 private:
  struct Part {
    const Phase* phase = nullptr;
    ProductShape shape;
    QGemmBlocks blocks;
    TileScratch tile;
    int64_t first[2] = {0, 0};  // output position of the phase
    int64_t lines = 0;          // output rows of an image
    std::vector<size_t> out_of, weights_of;
  };

  void fill(const Part& part, const uint8_t* image, const uint8_t* zeros, int64_t batch, int64_t row, size_t m,
            const uint8_t** rows) const {
    const ConvWindow& w = model_.window;
    const int64_t depth = sizes_.channels / w.group, g = batch % w.group, line = batch / w.group % part.lines;
    const int64_t n = batch / w.group / part.lines;
    const size_t mr = static_cast<size_t>(part.blocks.kernel->mr);
    const int64_t y0 = part.first[0] + line * w.stride[0] + sizes_.begin[0];
    for (int64_t ky : part.phase->taps[0]) {
      const int64_t y = y0 - ky * w.dilation[0];  // a multiple of the stride
      const bool row_inside = y >= 0 && y / w.stride[0] < sizes_.in[0];
      const uint8_t* at =
          row_inside ? image + (n * sizes_.in[0] + y / w.stride[0]) * sizes_.in[1] * sizes_.channels + g * depth
                     : nullptr;
      for (int64_t kx : part.phase->taps[1]) {
        // The first column of the phase, less the tap, is a multiple of the stride too; columns follow at distance 1.
        const int64_t x0 = (part.first[1] + sizes_.begin[1] - kx * w.dilation[1]) / w.stride[1] + row;
        for (size_t r = 0; r < m; ++r) {
          const int64_t x = x0 + static_cast<int64_t>(r);
          rows[r] = row_inside && x >= 0 && x < sizes_.in[1] ? at + x * sizes_.channels : zeros;
        }
        rows += mr;
      }
    }
  }

  const TransposeModel& model_;
  ConvSizes sizes_;
  std::vector<Part> parts_;
  bool copy_ = false, wide_ = false;
  size_t plane_bytes_ = 0, zeros_bytes_ = 0;
  ColumnScratch columns_;
  ScratchArray<uint8_t> zeros_, copied_;
};

class QConvTranspose final : public Op {
 public:
  Status load(const LoadContext& c) {
    TransposeModel& m = model_;
    OCTAVO_RETURN_IF_ERROR(m.operands.load(c));
    if (m.operands.has_residual() || m.operands.has_table())
      return c.error(Code::kInvalidPlan, "residual and table are not inputs of this step");
    const TensorSpec& w = *c.input(ProductInput::kW);
    OCTAVO_RETURN_IF_ERROR(m.window.load(c, w));
    tuning_ = &c.tuning();
    const size_t groups = static_cast<size_t>(m.window.group), channels = static_cast<size_t>(w.shape[0]);
    const size_t n = static_cast<size_t>(w.shape[1]), depth = channels / groups,
                 taps = static_cast<size_t>(m.window.taps());
    m.channels = w.shape[0];
    if (__builtin_mul_overflow(w.shape[1], m.window.group, &m.out_channels))
      return c.error(Code::kLimit, "too many channels");
    if (!holds_elements(w, channels * n * taps))
      return c.error(Code::kInvalidPlan, "weights of " + std::to_string(w.byte_length) + " bytes");
    OCTAVO_RETURN_IF_ERROR(m.operands.check_w_zero(c, m.out_channels));
    const int64_t *stride = m.window.stride, *kernel = m.window.kernel;
    if (stride[0] > kMostPhases || stride[1] > kMostPhases || stride[0] * stride[1] > kMostPhases)
      return c.error(Code::kLimit, "strides " + std::to_string(stride[0]) + " by " + std::to_string(stride[1]));

    WeightSource source{w.data, groups, n, depth, depth * n * taps, taps, n * taps, {}, m.operands.w_format()};
    for (size_t tap = 0; tap < taps; ++tap) source.taps.push_back(tap);
    PackingOptions options;
    options.range = weight_range(c, source, m.operands, false);
    const QGemmKernel& chosen = choose_qgemm(static_cast<int64_t>(n), options.range.narrow);

    m.phases = std::vector<Phase>(static_cast<size_t>(stride[0] * stride[1]));
    for (size_t i = 0; i < m.phases.size(); ++i) {
      Phase& phase = m.phases[i];
      phase.rest[0] = static_cast<int64_t>(i) / stride[1];
      phase.rest[1] = static_cast<int64_t>(i) % stride[1];
      for (int axis = 0; axis < 2; ++axis)
        for (int64_t k = 0; k < kernel[axis]; ++k)
          if ((phase.rest[axis] - k * m.window.dilation[axis]) % stride[axis] == 0) phase.taps[axis].push_back(k);
      source.taps.clear();
      for (int64_t ky : phase.taps[0])
        for (int64_t kx : phase.taps[1]) source.taps.push_back(static_cast<size_t>(ky * kernel[1] + kx));
      OCTAVO_RETURN_IF_ERROR(pack_weights(c, m.operands, source, options, chosen, &phase.weights));
    }
    return Status::Ok();
  }
  Status bind(BindContext& c, std::unique_ptr<Bound>* bound) const override {
    auto made = std::make_unique<BoundQConvTranspose>(model_);
    OCTAVO_RETURN_IF_ERROR(made->prepare(c, *tuning_));
    *bound = std::move(made);
    return Status::Ok();
  }
  std::string kernel() const override { return model_.phases[0].weights.kernel->name; }
  bool reads_constant(int input) const override { return model_.operands.reads_constant(input); }
  size_t packed_bytes() const override {
    size_t bytes = model_.operands.copied_bytes();
    for (const Phase& phase : model_.phases) bytes += phase.weights.bytes();
    return bytes;
  }

 private:
  TransposeModel model_;
  const Tuning* tuning_ = nullptr;
};

}  // namespace

Status make_qconv_transpose(const LoadContext& context, std::unique_ptr<Op>* op) {
  auto made = std::make_unique<QConvTranspose>();
  OCTAVO_RETURN_IF_ERROR(made->load(context));
  *op = std::move(made);
  return Status::Ok();
}

}  // namespace octavo
