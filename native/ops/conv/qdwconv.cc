// Depthwise QConv over NHWC: no copy of the image, no conversion of its signedness, weights of any zero point exact.
#include "ops/conv/qdwconv.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "cpu/tuning.h"
#include "kernels/qdwconv/qdwconv.h"
#include "ops/conv/conv_geometry.h"
#include "ops/product/planes.h"
#include "ops/product/product_folded.h"
#include "ops/product/weight_source.h"
#include "ops/support/rounding.h"

namespace octavo {
namespace {

// Of a row, when the sums become floats or 16-bit levels: what they are gathered in stays in the first level cache.
constexpr int64_t kGatheredPixels = 16;
// Products of a task: some microseconds.
constexpr int64_t kTaskProducts = 256 * 1024;

struct QDwModel {
  ProductOperands operands;
  ConvWindow window;
  QDwWindow row_window;  // what the kernel needs of it
  const QDwKernel* kernel = nullptr;
  size_t channels = 0, padded = 0, taps = 0, packed_bytes = 0;
  std::vector<uint8_t> raw;  // [channels][taps] levels, only when the weight zero point is not constant
  AlignedBuffer packed;
  FoldedProduct folded;

  // The output is made of sums that the kernel leaves as int32.
  bool gathers() const {
    const ProductOutput output = operands.output();
    return output == ProductOutput::kFloat || output == ProductOutput::kHalves || operands.x_in_run() ||
           operands.wide();
  }
  // Weights less their zero points, [taps][channels], and their sums; `levels` and `zeros` are of the weights' format.
  void subtract(const uint8_t* levels, const void* zeros, bool scalar_zero, int16_t* out, int32_t* totals) const {
    const Format& format = operands.w_format();
    std::fill_n(totals, padded, 0);
    for (size_t c = 0; c < channels; ++c) {
      const int32_t zero = zeros ? level_at(zeros, scalar_zero ? 0 : c, format) : 0;
      for (size_t t = 0; t < taps; ++t) {
        const int32_t v = level_at(levels, c * taps + t, format) - zero;
        out[t * channels + c] = static_cast<int16_t>(v);
        totals[c] = static_cast<int32_t>(static_cast<uint32_t>(totals[c]) + static_cast<uint32_t>(v));
      }
    }
  }

  // Sums of absolute weights, [taps][channels].
  void add_magnitudes(const int16_t* from, uint32_t* totals) const {
    std::fill_n(totals, padded, 0);
    for (size_t t = 0; t < taps; ++t)
      for (size_t c = 0; c < channels; ++c) totals[c] += static_cast<uint32_t>(std::abs(from[t * channels + c]));
  }
};

class BoundQDwConv final : public Bound {
 public:
  explicit BoundQDwConv(const QDwModel& model) : model_(model) {}

  Status prepare(BindContext& c) {
    const int64_t channels = static_cast<int64_t>(model_.channels);
    OCTAVO_RETURN_IF_ERROR(sizes_.bind(c, model_.window, channels, channels));
    OCTAVO_RETURN_IF_ERROR(check_conv_output(c, model_.window, sizes_));
    shape_ = model_.folded.shape;
    OCTAVO_RETURN_IF_ERROR(model_.operands.bind(c, channels, 0, &shape_.counts));
    int64_t pixels = 0;
    if (__builtin_mul_overflow(sizes_.batch, sizes_.pixels(), &pixels)) return c.error(Code::kLimit, "too many pixels");
    rows_ = pixels == 0 ? 0 : sizes_.batch * sizes_.out[0];
    const double products = static_cast<double>(model_.taps * model_.padded) * static_cast<double>(sizes_.out[1]);
    rows_per_task_ =
        static_cast<int64_t>(std::clamp(static_cast<double>(kTaskProducts) / std::max(products, 1.0), 1.0, 4096.0));

    const bool square = model_.window.stride[0] == 1 && model_.window.dilation[0] == 1;
    out_rows_ = square && !model_.gathers() ? static_cast<int64_t>(qdwconv_rows(*model_.kernel, model_.row_window)) : 1;
    rows_per_task_ = (rows_per_task_ + out_rows_ - 1) / out_rows_ * out_rows_;

    // Rows above and below the image are one row of zero points.
    const bool whole_row = sizes_.begin[0] != 0 || sizes_.end[0] != 0;
    zeros_bytes_ = model_.channels;
    if ((whole_row && __builtin_mul_overflow(zeros_bytes_, static_cast<size_t>(std::max<int64_t>(sizes_.in[1], 1)),
                                             &zeros_bytes_)) ||
        zeros_bytes_ > PTRDIFF_MAX / 2)
      return c.error(Code::kLimit, "a row of " + ops::dims_text(c.in(ProductInput::kX)));
    ScratchPlan shared, own;
    if (!model_.folded.constant()) columns_.add(&shared, shape_.columns(), wide());
    zeros_ = shared.add<uint8_t>(wide() ? 2 * zeros_bytes_ + kReadSlack : zeros_bytes_, kReadSlack);
    plane_bytes_ = static_cast<size_t>(c.in(ProductInput::kX).elements());
    if (wide()) image_ = shared.add<uint8_t>(2 * plane_bytes_, kReadSlack);
    if (!model_.raw.empty()) {
      packed_ = shared.add<uint8_t>(model_.packed_bytes);
      sums_ = shared.add<int32_t>(model_.padded);
      weights_ = shared.add<int16_t>(model_.channels * model_.taps);
    }
    inputs_ = own.add<const uint8_t*>(model_.row_window.height + static_cast<size_t>(out_rows_));
    list_ = own.add<const uint8_t*>(kQDwListed * (model_.taps + 3));
    if (model_.gathers()) gathered_ = own.add<int32_t>((wide() ? 2 : 1) * kGatheredPixels * model_.padded);
    if (!shared.fits() || !own.fits())
      return c.error(Code::kLimit, "a row of " + ops::dims_text(c.in(ProductInput::kX)));
    c.scratch(shared.bytes(), own.bytes());
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    if (rows_ == 0 || model_.channels == 0) return Status::Ok();
    void* shared = c.shared_scratch();
    const void* packed = model_.packed.data();
    ProductShape shape = shape_;
    if (!model_.raw.empty()) {
      model_.subtract(model_.raw.data(), c.input(ProductInput::kWZp), shape.counts.w_zeros == 1, weights_.in(shared),
                      sums_.in(shared));
      model_.kernel->pack(model_.row_window, weights_.in(shared), model_.channels, packed_.in(shared));
      packed = packed_.in(shared);
      shape.sums = sums_.in(shared);
    }
    ProductEpilogue epilogue;
    OCTAVO_RETURN_IF_ERROR(model_.folded.epilogue(c, model_.operands, shape, columns_.in(shared), &epilogue));
    uint8_t* zeros = zeros_.in(shared);
    const PlaneZeros zero(epilogue.x_zero, shape_.a_signed);
    std::memset(zeros, wide() ? zero.upper : epilogue.x_zero & 0xFF, zeros_bytes_ + kReadSlack);
    if (wide()) std::memset(zeros + zeros_bytes_ + kReadSlack, zero.lower, zeros_bytes_ + kReadSlack);

    const auto* image = c.in<uint8_t>(ProductInput::kX);
    if (wide()) {
      split_image(c, image_.in(shared));
      image = image_.in(shared);
    }
    auto* out = c.out<uint8_t>(0);
    const auto* residual = model_.operands.has_residual() ? c.in<uint8_t>(ProductInput::kResidual) : nullptr;
    c.pool().for_each((rows_ + rows_per_task_ - 1) / rows_per_task_, [&](int64_t task, int thread) {
      if (c.cancelled().load(std::memory_order_relaxed)) return;
      void* scratch = c.thread_scratch(thread);
      const uint8_t** inputs = inputs_.in(scratch);
      QDwTile tile;
      tile.window = model_.row_window;
      tile.rows = inputs;
      tile.zeros = zeros;
      tile.columns = static_cast<size_t>(sizes_.in[1]);
      tile.channels = model_.channels;
      tile.weights = packed;
      tile.bias = epilogue.columns.bias;
      tile.multiplier = epilogue.columns.multiplier;
      tile.requantize = epilogue.requantize;
      tile.to_int32 = epilogue.output != ProductOutput::kBytes || wide();
      tile.list = list_.in(scratch);
      const int64_t end = std::min(rows_, (task + 1) * rows_per_task_);
      for (int64_t row = task * rows_per_task_; row < end;) {
        const int64_t rows = std::min({out_rows_, end - row, sizes_.out[0] - row % sizes_.out[0]});
        tile.out_rows = static_cast<size_t>(rows);
        if (wide()) {
          run_planes(epilogue, row, gathered_.in(scratch), out, residual, image, inputs, &tile);
        } else {
          find_inputs(image, zeros, row, rows, inputs);
          run_rows(epilogue, row, gathered_.in(scratch), out, residual, &tile);
        }
        row += rows;
      }
    });
    return Status::Ok();
  }

 private:
  // Input rows of `rows` output rows of one image, counted over all images; they share what they can.
  void find_inputs(const uint8_t* image, const uint8_t* zeros, int64_t row, int64_t rows,
                   const uint8_t** inputs) const {
    const ConvWindow& w = model_.window;
    const int64_t height = sizes_.in[0], line = sizes_.in[1] * sizes_.channels;
    const int64_t n = row / sizes_.out[0], top = row % sizes_.out[0] * w.stride[0] - sizes_.begin[0];
    for (int64_t ky = 0; ky < w.kernel[0] + rows - 1; ++ky) {
      const int64_t y = top + ky * w.dilation[0];
      inputs[ky] = y >= 0 && y < height ? image + (n * height + y) * line : zeros;
    }
  }

  void run_rows(const ProductEpilogue& epilogue, int64_t row, int32_t* gathered, uint8_t* out, const uint8_t* residual,
                QDwTile* tile) const {
    const QDwFunction kernel = shape_.a_signed ? model_.kernel->s8 : model_.kernel->u8;
    const bool gather = model_.gathers();
    const size_t element = bytes_of(epilogue.output), channels = model_.channels;
    const int64_t width = sizes_.out[1], step = gather ? kGatheredPixels : width;
    tile->c_stride = channels * (gather ? sizeof(int32_t) : element);
    tile->c_row_stride = static_cast<size_t>(width) * tile->c_stride;
    int32_t row_zero[kGatheredPixels];
    float row_scale[kGatheredPixels];
    for (int64_t r = 0; epilogue.rows.any() && r < kGatheredPixels; ++r)
      row_zero[r] = epilogue.rows.zero_of(0), row_scale[r] = epilogue.rows.scale_of(0);
    for (int64_t x = 0; x < width; x += step) {
      tile->pixels = static_cast<size_t>(std::min(width - x, step));
      tile->first = static_cast<ptrdiff_t>(x * model_.window.stride[1] - sizes_.begin[1]);
      const size_t at = static_cast<size_t>(row * width + x) * channels;
      uint8_t* to = out + at * element;
      tile->c = gather ? static_cast<void*>(gathered) : to;
      kernel(*tile);
      if (gather) {
        SumTile sums;
        sums.sums = gathered, sums.stride = channels;
        sums.m = tile->pixels, sums.n = channels;
        sums.row_zero = row_zero, sums.row_scale = row_scale;
        finish_tile(epilogue, 0, sums, to, channels * element);
      }
      if (residual || epilogue.table)
        finish_bytes(epilogue, to, residual ? residual + at : nullptr, tile->pixels * tile->out_rows, channels,
                     channels);
    }
  }

  // A row of outputs of 16-bit activations: both planes of some pixels, then what becomes of their sums.
  void run_planes(const ProductEpilogue& epilogue, int64_t row, int32_t* gathered, uint8_t* out,
                  const uint8_t* residual, const uint8_t* image, const uint8_t** inputs, QDwTile* tile) const {
    const QDwFunction kernel = shape_.a_signed ? model_.kernel->s8 : model_.kernel->u8;
    const size_t channels = model_.channels, element = bytes_of(epilogue.output);
    const int64_t width = sizes_.out[1];
    const uint8_t* const zeros = tile->zeros;
    tile->c_stride = channels * sizeof(int32_t);
    WideSums sums;
    sums.high = gathered, sums.low = gathered + kGatheredPixels * static_cast<int64_t>(model_.padded);
    sums.stride = sums.n = channels;
    for (int64_t x = 0; x < width; x += kGatheredPixels) {
      tile->pixels = sums.m = static_cast<size_t>(std::min(width - x, kGatheredPixels));
      tile->first = static_cast<ptrdiff_t>(x * model_.window.stride[1] - sizes_.begin[1]);
      for (size_t plane = 0; plane < 2; ++plane) {
        tile->zeros = zeros + plane * (zeros_bytes_ + kReadSlack);
        find_inputs(image + plane * plane_bytes_, tile->zeros, row, 1, inputs);
        tile->c = gathered + plane * kGatheredPixels * model_.padded;
        kernel(*tile);
      }
      const size_t at = static_cast<size_t>(row * width + x) * channels;
      finish_wide(epilogue, 0, sums, out + at * element, channels * element);
      if (residual || epilogue.table)
        finish_bytes(epilogue, out + at, residual ? residual + at : nullptr, sums.m, channels, channels);
    }
    tile->zeros = zeros;
  }

  void split_image(RunContext& c, uint8_t* to) const {
    const auto* from = c.in<uint16_t>(ProductInput::kX);
    const PlaneFlips flips(model_.operands.x_format().is_signed, shape_.a_signed);
    constexpr size_t kPiece = 16384;
    c.pool().for_each(static_cast<int64_t>((plane_bytes_ + kPiece - 1) / kPiece), [&](int64_t task, int) {
      const size_t first = static_cast<size_t>(task) * kPiece;
      split_planes(from + first, 1, std::min(kPiece, plane_bytes_ - first), flips, to + first,
                   to + plane_bytes_ + first);
    });
  }

  bool wide() const { return model_.operands.wide(); }

  const QDwModel& model_;
  ConvSizes sizes_;
  ProductShape shape_;
  int64_t rows_ = 0, rows_per_task_ = 1, out_rows_ = 1;
  size_t zeros_bytes_ = 0, plane_bytes_ = 0;
  ColumnScratch columns_;
  ScratchArray<uint8_t> zeros_, packed_, image_;
  ScratchArray<int32_t> sums_, gathered_;
  ScratchArray<int16_t> weights_;
  ScratchArray<const uint8_t*> inputs_, list_;
};

class QDwConv final : public Op {
 public:
  Status load(const LoadContext& c) {
    QDwModel& m = model_;
    OCTAVO_RETURN_IF_ERROR(m.operands.load(c));
    const TensorSpec& w = *c.input(ProductInput::kW);
    OCTAVO_RETURN_IF_ERROR(m.window.load(c, w));
    m.channels = static_cast<size_t>(w.shape[0]);
    m.taps = static_cast<size_t>(m.window.taps());
    if (!holds_elements(w, m.channels * m.taps))
      return c.error(Code::kInvalidPlan, "weights of " + std::to_string(w.byte_length) + " bytes");
    m.row_window = {static_cast<size_t>(m.window.kernel[0]), static_cast<size_t>(m.window.kernel[1]),
                    static_cast<size_t>(m.window.stride[1]), static_cast<size_t>(m.window.dilation[1])};
    m.padded = round_up(m.channels, kQDwChannels);
    OCTAVO_RETURN_IF_ERROR(m.operands.check_w_zero(c, w.shape[0]));

    ProductShape& s = m.folded.shape;
    s.n = m.channels;
    s.padded = m.padded;
    s.depth = m.taps;
    s.a_signed = m.operands.x_format().is_signed;  // both have a kernel
    s.w_zero_folded = true;
    if (!m.operands.w_zero_constant()) {
      m.raw.assign(w.data, w.data + w.byte_length);
      return choose(c, -255, 255);
    }
    std::vector<int16_t> weights(m.channels * m.taps);
    if (!m.folded.allocate_sums(m.padded, true)) return c.error(Code::kOutOfMemory, "weights");
    const TensorSpec* zeros = c.input(ProductInput::kWZp);
    m.subtract(w.data, zeros ? zeros->data : nullptr, zeros && zeros->shape.elements() == 1, weights.data(),
               m.folded.sums());
    m.add_magnitudes(weights.data(), m.folded.magnitudes());
    const auto [low, high] = std::minmax_element(weights.begin(), weights.end());
    OCTAVO_RETURN_IF_ERROR(choose(c, weights.empty() ? 0 : *low, weights.empty() ? 0 : *high));
    if (!m.packed.allocate_in(c.store(), m.packed_bytes)) return c.error(Code::kOutOfMemory, "weights");
    std::memset(m.packed.data(), 0, m.packed_bytes);
    m.kernel->pack(m.row_window, weights.data(), m.channels, m.packed.data());
    return m.folded.load(c, m.operands, w.shape[0]);
  }
  Status bind(BindContext& c, std::unique_ptr<Bound>* bound) const override {
    auto made = std::make_unique<BoundQDwConv>(model_);
    OCTAVO_RETURN_IF_ERROR(made->prepare(c));
    *bound = std::move(made);
    return Status::Ok();
  }
  std::string kernel() const override { return model_.kernel->name; }
  bool reads_constant(int input) const override { return model_.operands.reads_constant(input); }
  size_t packed_bytes() const override {
    return model_.packed.bytes() + model_.folded.bytes() + model_.raw.size() + model_.operands.copied_bytes();
  }

 private:
  Status choose(const LoadContext& c, int low, int high) {
    QDwModel& m = model_;
    m.kernel = &choose_qdwconv(low, high);
    size_t pointers = 0;  // of a list of taps
    if (!qdwconv_packed_bytes(*m.kernel, m.row_window, m.channels, &m.packed_bytes) ||
        m.packed_bytes > PTRDIFF_MAX / 2 || __builtin_mul_overflow(m.taps + 3, kQDwListed * sizeof(void*), &pointers) ||
        pointers > PTRDIFF_MAX / 2)
      return c.error(Code::kLimit, "a kernel of " + ops::dims_text(c.input(ProductInput::kW)->shape));
    return Status::Ok();
  }

  QDwModel model_;
};

}  // namespace

namespace {

// A sum of bytes of 16-bit activations, times weights of up to 255, may not fit in int32. The driver of other products
// takes those in pieces.
bool too_deep(const LoadContext& c, const TensorSpec& w) {
  const TensorSpec* x = c.input(ProductInput::kX);
  return x != nullptr && bit_width(x->dtype) == 16 && w.shape.elements() / w.shape[0] > INT32_MAX / (255 * 255);
}

}  // namespace

bool is_depthwise(const LoadContext& c) {
  const TensorSpec* w = c.input(ProductInput::kW);
  return w != nullptr && w->constant && w->shape.rank >= 3 && w->shape.rank <= 4 && w->shape[1] == 1 &&
         c.integer("group", 1) == w->shape[0] && w->shape[0] > 1 && !too_deep(c, *w);
}

Status make_qdwconv(const LoadContext& context, std::unique_ptr<Op>* op) {
  auto made = std::make_unique<QDwConv>();
  OCTAVO_RETURN_IF_ERROR(made->load(context));
  *op = std::move(made);
  return Status::Ok();
}

}  // namespace octavo
