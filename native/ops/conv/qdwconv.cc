// Depthwise QConv over NHWC: no copy of the image, no conversion of its signedness, weights of any zero point exact.
#include "ops/conv/qdwconv.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "cpu/tuning.h"
#include "kernels/qdwconv/qdwconv.h"
#include "ops/conv/conv_geometry.h"
#include "ops/product/qgemm_driver.h"

namespace octavo {
namespace {

// Of a row, when the sums become floats: what they are gathered in stays in the first level cache.
constexpr int64_t kFloatPixels = 16;
// Products of a task: some microseconds.
constexpr int64_t kTaskProducts = 256 * 1024;

size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

struct QDwModel {
  QLinear linear;
  ConvWindow window;
  QDwWindow row_window;  // what the kernel needs of it
  const QDwKernel* kernel = nullptr;
  size_t channels = 0, padded = 0, taps = 0, packed_bytes = 0;
  std::vector<uint8_t> raw;  // [channels][taps], only when the weight zero point is not constant
  AlignedBuffer weights, sums, magnitudes, columns;
  QLinearShape shape;
  QLinearParameters parameters;
  bool folded = false;

  // Weights less their zero points, [taps][channels], and their sums; `bytes` is [channels][taps].
  void subtract(const uint8_t* bytes, const uint8_t* zeros, bool scalar_zero, int16_t* out, int32_t* totals) const {
    const bool is_signed = ops::is_signed_q8(linear.w_type());
    std::fill_n(totals, padded, 0);
    for (size_t c = 0; c < channels; ++c) {
      const int32_t zero = zeros ? ops::q8_value(zeros[scalar_zero ? 0 : c], is_signed) : 0;
      for (size_t t = 0; t < taps; ++t) {
        const int32_t v = ops::q8_value(bytes[c * taps + t], is_signed) - zero;
        out[t * channels + c] = static_cast<int16_t>(v);
        totals[c] = static_cast<int32_t>(static_cast<uint32_t>(totals[c]) + static_cast<uint32_t>(v));
      }
    }
  }

  // Sums of absolute weights, [taps][channels].
  const uint32_t* add_magnitudes(const int16_t* from) const {
    auto* totals = magnitudes.as<uint32_t>();
    std::fill_n(totals, padded, 0);
    for (size_t t = 0; t < taps; ++t)
      for (size_t c = 0; c < channels; ++c) totals[c] += static_cast<uint32_t>(std::abs(from[t * channels + c]));
    return totals;
  }
};

class BoundQDwConv final : public Bound {
 public:
  explicit BoundQDwConv(const QDwModel& model) : model_(model) {}

  Status prepare(BindContext& c) {
    const int64_t channels = static_cast<int64_t>(model_.channels);
    OCTAVO_RETURN_IF_ERROR(sizes_.bind(c, model_.window, channels, channels));
    OCTAVO_RETURN_IF_ERROR(check_conv_output(c, model_.window, sizes_));
    shape_ = model_.shape;
    OCTAVO_RETURN_IF_ERROR(model_.linear.bind(c, channels, &shape_));
    int64_t pixels = 0;
    if (__builtin_mul_overflow(sizes_.batch, sizes_.pixels(), &pixels)) return c.error(Code::kLimit, "too many pixels");
    rows_ = pixels == 0 ? 0 : sizes_.batch * sizes_.out[0];
    const double products = static_cast<double>(model_.taps * model_.padded) * static_cast<double>(sizes_.out[1]);
    rows_per_task_ =
        static_cast<int64_t>(std::clamp(static_cast<double>(kTaskProducts) / std::max(products, 1.0), 1.0, 4096.0));

    const bool square = model_.window.stride[0] == 1 && model_.window.dilation[0] == 1;
    out_rows_ = square && model_.linear.output() != QLinearOutput::kFloat
                    ? static_cast<int64_t>(qdwconv_rows(*model_.kernel, model_.row_window))
                    : 1;
    rows_per_task_ = (rows_per_task_ + out_rows_ - 1) / out_rows_ * out_rows_;

    // Rows above and below the image are one row of zero points.
    const bool whole_row = sizes_.begin[0] != 0 || sizes_.end[0] != 0;
    zeros_bytes_ = model_.channels;
    if ((whole_row && __builtin_mul_overflow(zeros_bytes_, static_cast<size_t>(std::max<int64_t>(sizes_.in[1], 1)),
                                             &zeros_bytes_)) ||
        zeros_bytes_ > PTRDIFF_MAX / 2)
      return c.error(Code::kLimit, "a row of " + ops::dims_text(c.in(kX)));
    zeros_offset_ = model_.folded ? 0 : round_up(QLinearColumns::kBytes * model_.padded, 64);
    packed_offset_ = zeros_offset_ + round_up(zeros_bytes_ + kReadSlack, 64);
    const bool repack = !model_.raw.empty();
    sums_offset_ = packed_offset_ + (repack ? round_up(model_.packed_bytes, 64) : 0);
    weights_offset_ = sums_offset_ + (repack ? round_up(model_.padded * sizeof(int32_t), 64) : 0);
    list_offset_ = round_up((model_.row_window.height + static_cast<size_t>(out_rows_)) * sizeof(void*), 64);
    tile_offset_ = list_offset_ + round_up(kQDwListed * (model_.taps + 3) * sizeof(void*), 64);
    c.scratch(
        weights_offset_ + model_.raw.size() * sizeof(int16_t),
        tile_offset_ +
            (model_.linear.output() == QLinearOutput::kFloat ? kFloatPixels * model_.padded * sizeof(int32_t) : 0));
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    if (rows_ == 0 || model_.channels == 0) return Status::Ok();
    auto* shared = static_cast<uint8_t*>(c.shared_scratch());
    const void* packed = model_.weights.data();
    QLinearShape shape = shape_;
    if (!model_.raw.empty()) {
      auto* weights = reinterpret_cast<int16_t*>(shared + weights_offset_);
      auto* sums = reinterpret_cast<int32_t*>(shared + sums_offset_);
      model_.subtract(model_.raw.data(), c.in<uint8_t>(kWZero), shape.scalar_w_zero, weights, sums);
      model_.kernel->pack(model_.row_window, weights, model_.channels, shared + packed_offset_);
      packed = shared + packed_offset_;
      shape.sums = sums;
    }
    QLinearParameters p = model_.parameters;
    if (!model_.folded) {
      p.columns = QLinearColumns::split(shared, model_.padded);
      OCTAVO_RETURN_IF_ERROR(model_.linear.fold(&c, shape, &p));
    }
    uint8_t* zeros = shared + zeros_offset_;
    std::memset(zeros, p.x_zero & 0xFF, zeros_bytes_ + kReadSlack);

    const auto* image = c.in<uint8_t>(kX);
    auto* out = c.out<uint8_t>(0);
    const auto* residual = model_.linear.has_residual() ? c.in<uint8_t>(kResidual) : nullptr;
    c.pool().for_each((rows_ + rows_per_task_ - 1) / rows_per_task_, [&](int64_t task, int thread) {
      if (c.cancelled().load(std::memory_order_relaxed)) return;
      auto* scratch = static_cast<uint8_t*>(c.thread_scratch(thread));
      auto** inputs = reinterpret_cast<const uint8_t**>(scratch);
      QDwTile tile;
      tile.window = model_.row_window;
      tile.rows = inputs;
      tile.zeros = zeros;
      tile.columns = static_cast<size_t>(sizes_.in[1]);
      tile.channels = model_.channels;
      tile.weights = packed;
      tile.bias = p.columns.bias;
      tile.multiplier = p.columns.multiplier;
      tile.requantize = p.requantize;
      tile.to_int32 = model_.linear.output() != QLinearOutput::kBytes;
      tile.list = reinterpret_cast<const uint8_t**>(scratch + list_offset_);
      const int64_t end = std::min(rows_, (task + 1) * rows_per_task_);
      for (int64_t row = task * rows_per_task_; row < end;) {
        const int64_t rows = std::min({out_rows_, end - row, sizes_.out[0] - row % sizes_.out[0]});
        find_inputs(image, zeros, row, rows, inputs);
        tile.out_rows = static_cast<size_t>(rows);
        run_rows(p, row, scratch + tile_offset_, out, residual, &tile);
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

  void run_rows(const QLinearParameters& p, int64_t row, uint8_t* scratch, uint8_t* out, const uint8_t* residual,
                QDwTile* tile) const {
    const QDwFunction kernel = model_.shape.a_signed ? model_.kernel->s8 : model_.kernel->u8;
    const bool to_float = model_.linear.output() == QLinearOutput::kFloat;
    const size_t element = model_.linear.output_bytes(), channels = model_.channels;
    const int64_t width = sizes_.out[1], step = to_float ? kFloatPixels : width;
    tile->c_stride = channels * element;
    tile->c_row_stride = static_cast<size_t>(width) * tile->c_stride;
    for (int64_t x = 0; x < width; x += step) {
      tile->pixels = static_cast<size_t>(std::min(width - x, step));
      tile->first = static_cast<ptrdiff_t>(x * model_.window.stride[1] - sizes_.begin[1]);
      const size_t at = static_cast<size_t>(row * width + x) * channels;
      uint8_t* to = out + at * element;
      tile->c = to_float ? scratch : to;
      kernel(*tile);
      if (to_float) scale(p, reinterpret_cast<const int32_t*>(scratch), tile->pixels, reinterpret_cast<float*>(to));
      if (residual || p.table)
        finish_bytes(p, to, residual ? residual + at : nullptr, tile->pixels * tile->out_rows, channels, channels);
    }
  }

  void scale(const QLinearParameters& p, const int32_t* acc, size_t pixels, float* out) const {
    const bool bias = model_.linear.float_bias();
    for (size_t i = 0; i < pixels; ++i)
      for (size_t c = 0; c < model_.channels; ++c, ++acc, ++out) {
        const float v = static_cast<float>(*acc) * p.columns.multiplier[c];
        *out = bias ? v + p.columns.float_bias[c] : v;
      }
  }

  const QDwModel& model_;
  ConvSizes sizes_;
  QLinearShape shape_;
  int64_t rows_ = 0, rows_per_task_ = 1, out_rows_ = 1;
  size_t zeros_bytes_ = 0, zeros_offset_ = 0, packed_offset_ = 0, sums_offset_ = 0, weights_offset_ = 0;
  size_t list_offset_ = 0, tile_offset_ = 0;
};

class QDwConv final : public Op {
 public:
  Status load(const LoadContext& c) {
    QDwModel& m = model_;
    OCTAVO_RETURN_IF_ERROR(m.linear.load(c));
    const TensorSpec& w = *c.input(kW);
    OCTAVO_RETURN_IF_ERROR(m.window.load(c, w));
    m.channels = static_cast<size_t>(w.shape[0]);
    m.taps = static_cast<size_t>(m.window.taps());
    if (w.byte_length != m.channels * m.taps)
      return c.error(Code::kInvalidPlan, "weights of " + std::to_string(w.byte_length) + " bytes");
    m.row_window = {static_cast<size_t>(m.window.kernel[0]), static_cast<size_t>(m.window.kernel[1]),
                    static_cast<size_t>(m.window.stride[1]), static_cast<size_t>(m.window.dilation[1])};
    m.padded = round_up(m.channels, kQDwChannels);
    OCTAVO_RETURN_IF_ERROR(m.linear.check_w_zero(c, w.shape[0]));

    QLinearShape& s = m.shape;
    s.n = m.channels;
    s.padded = m.padded;
    s.depth = m.taps;
    s.a_signed = ops::is_signed_q8(m.linear.x_type());  // both have a kernel
    s.w_zero_folded = true;
    if (!m.linear.w_zero_constant()) {
      m.raw.assign(w.data, w.data + w.byte_length);
      return choose(c, -255, 255);
    }
    std::vector<int16_t> weights(w.byte_length);
    if (!m.sums.allocate(m.padded * sizeof(int32_t)) || !m.magnitudes.allocate(m.padded * sizeof(uint32_t)) ||
        !m.columns.allocate(m.padded * QLinearColumns::kBytes))
      return c.error(Code::kOutOfMemory, "weights");
    const TensorSpec* zeros = c.input(kWZero);
    m.subtract(w.data, zeros ? zeros->data : nullptr, zeros && zeros->shape.elements() == 1, weights.data(),
               m.sums.as<int32_t>());
    const auto [low, high] = std::minmax_element(weights.begin(), weights.end());
    OCTAVO_RETURN_IF_ERROR(choose(c, weights.empty() ? 0 : *low, weights.empty() ? 0 : *high));
    if (!m.weights.allocate_in(c.store(), m.packed_bytes)) return c.error(Code::kOutOfMemory, "weights");
    std::memset(m.weights.data(), 0, m.packed_bytes);
    m.kernel->pack(m.row_window, weights.data(), m.channels, m.weights.data());
    s.sums = m.sums.as<int32_t>();
    s.magnitudes = m.add_magnitudes(weights.data());
    if (!m.linear.parameters_constant()) return Status::Ok();
    OCTAVO_RETURN_IF_ERROR(m.linear.check_constants(c, w.shape[0], &s));
    m.parameters.columns = QLinearColumns::split(m.columns.data(), m.padded);
    const Status status = m.linear.fold(nullptr, s, &m.parameters);
    if (!status.ok()) return c.error(status.code, status.message);
    m.folded = true;
    return Status::Ok();
  }
  Status bind(BindContext& c, std::unique_ptr<Bound>* bound) const override {
    auto made = std::make_unique<BoundQDwConv>(model_);
    OCTAVO_RETURN_IF_ERROR(made->prepare(c));
    *bound = std::move(made);
    return Status::Ok();
  }
  std::string kernel() const override { return model_.kernel->name; }
  bool reads_constant(int input) const override { return model_.linear.reads_constant(input); }
  size_t packed_bytes() const override {
    return model_.weights.bytes() + model_.sums.bytes() + model_.magnitudes.bytes() + model_.columns.bytes() +
           model_.raw.size() + model_.linear.copied_bytes();
  }

 private:
  Status choose(const LoadContext& c, int low, int high) {
    QDwModel& m = model_;
    m.kernel = &choose_qdwconv(low, high);
    size_t pointers = 0;  // of a list of taps
    if (!qdwconv_packed_bytes(*m.kernel, m.row_window, m.channels, &m.packed_bytes) ||
        m.packed_bytes > PTRDIFF_MAX / 2 || __builtin_mul_overflow(m.taps + 3, kQDwListed * sizeof(void*), &pointers) ||
        pointers > PTRDIFF_MAX / 2)
      return c.error(Code::kLimit, "a kernel of " + ops::dims_text(c.input(kW)->shape));
    return Status::Ok();
  }

  QDwModel model_;
};

}  // namespace

bool is_depthwise(const LoadContext& c) {
  const TensorSpec* w = c.input(kW);
  return w != nullptr && w->constant && w->shape.rank >= 3 && w->shape.rank <= 4 && w->shape[1] == 1 &&
         c.integer("group", 1) == w->shape[0] && w->shape[0] > 1;
}

Status make_qdwconv(const LoadContext& context, std::unique_ptr<Op>* op) {
  auto made = std::make_unique<QDwConv>();
  OCTAVO_RETURN_IF_ERROR(made->load(context));
  *op = std::move(made);
  return Status::Ok();
}

}  // namespace octavo
