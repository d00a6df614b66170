// Depthwise QConv over NHWC: no copy of the image, no conversion of its signedness, weights of any zero point exact.
#include "ops/qdwconv.h"

#include <algorithm>

#include "cpu/tuning.h"
#include "kernels/qdwconv/qdwconv.h"
#include "ops/conv_geometry.h"
#include "ops/qgemm_driver.h"

namespace octavo {
namespace {

constexpr size_t kPixelsPerCall = 16;

size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

struct QDwModel {
  QLinear linear;
  ConvWindow window;
  const QDwKernel* kernel = nullptr;
  size_t channels = 0, padded = 0, taps = 0, even_taps = 0;
  std::vector<uint8_t> raw;  // [channels][taps], only when the weight zero point is not constant
  AlignedBuffer weights, sums, columns;
  QLinearShape shape;
  QLinearParameters parameters;
  bool folded = false;

  // Packs weights less their zero points; `bytes` is [channels][taps].
  void pack(const uint8_t* bytes, const uint8_t* zeros, bool scalar_zero, int16_t* out, int32_t* totals) const {
    const bool is_signed = ops::is_signed_q8(linear.w_type());
    std::memset(out, 0, even_taps * padded * sizeof(int16_t));
    std::fill_n(totals, padded, 0);
    for (size_t c = 0; c < channels; ++c) {
      const int32_t zero = zeros ? ops::q8_value(zeros[scalar_zero ? 0 : c], is_signed) : 0;
      for (size_t t = 0; t < taps; ++t) {
        const int32_t v = ops::q8_value(bytes[c * taps + t], is_signed) - zero;
        out[(t / 2 * padded + c) * 2 + t % 2] = static_cast<int16_t>(v);
        totals[c] = static_cast<int32_t>(static_cast<uint32_t>(totals[c]) + static_cast<uint32_t>(v));
      }
    }
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
    if (__builtin_mul_overflow(sizes_.batch, sizes_.pixels(), &pixels_)) return c.error(Code::kLimit, "too many pixels");
    // About 64 K products to a task: a few output rows of a typical layer.
    const int64_t products = static_cast<int64_t>(model_.even_taps * model_.padded);
    pixels_per_task_ = std::clamp<int64_t>(65536 * 4 / std::max<int64_t>(products, 1), kPixelsPerCall, 4096);

    zeros_offset_ = model_.folded ? 0 : round_up(QLinearColumns::kBytes * model_.padded, 64);
    weights_offset_ = zeros_offset_ + round_up(model_.channels + kReadSlack, 64);
    const bool repack = !model_.raw.empty();
    sums_offset_ = weights_offset_ + (repack ? round_up(model_.even_taps * model_.padded * sizeof(int16_t), 64) : 0);
    tile_offset_ = round_up(kPixelsPerCall * model_.even_taps * sizeof(void*), 64);
    c.scratch(sums_offset_ + (repack ? model_.padded * sizeof(int32_t) : 0),
              tile_offset_ + (model_.linear.output() == QLinearOutput::kFloat ? kPixelsPerCall * model_.padded * sizeof(int32_t) : 0));
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    if (pixels_ == 0 || model_.channels == 0) return Status::Ok();
    auto* shared = static_cast<uint8_t*>(c.shared_scratch());
    const int16_t* weights = model_.weights.as<int16_t>();
    QLinearShape shape = shape_;
    if (!model_.raw.empty()) {
      auto* packed = reinterpret_cast<int16_t*>(shared + weights_offset_);
      auto* sums = reinterpret_cast<int32_t*>(shared + sums_offset_);
      model_.pack(model_.raw.data(), c.in<uint8_t>(kWZero), shape.scalar_w_zero, packed, sums);
      weights = packed;
      shape.sums = sums;
    }
    QLinearParameters p = model_.parameters;
    if (!model_.folded) {
      p.columns = QLinearColumns::split(shared, model_.padded);
      OCTAVO_RETURN_IF_ERROR(model_.linear.fold(&c, shape, &p));
    }
    uint8_t* zeros = shared + zeros_offset_;
    std::memset(zeros, p.x_zero & 0xFF, model_.channels + kReadSlack);

    const size_t element = model_.linear.output_bytes(), channels = model_.channels;
    const bool to_float = model_.linear.output() == QLinearOutput::kFloat;
    const auto* image = c.in<uint8_t>(kX);
    auto* out = c.out<uint8_t>(0);
    const auto* residual = model_.linear.has_residual() ? c.in<uint8_t>(kResidual) : nullptr;
    const QDwFunction kernel = model_.shape.a_signed ? model_.kernel->s8 : model_.kernel->u8;
    c.pool().for_each((pixels_ + pixels_per_task_ - 1) / pixels_per_task_, [&](int64_t task, int thread) {
      if (c.cancelled().load(std::memory_order_relaxed)) return;
      auto* scratch = static_cast<uint8_t*>(c.thread_scratch(thread));
      auto** rows = reinterpret_cast<const uint8_t**>(scratch);
      QDwTile tile;
      tile.rows = rows;
      tile.taps = model_.even_taps;
      tile.channels = channels;
      tile.padded = model_.padded;
      tile.weights = weights;
      tile.bias = p.columns.bias;
      tile.multiplier = p.columns.multiplier;
      tile.requantize = p.requantize;
      tile.to_int32 = model_.linear.output() != QLinearOutput::kBytes;
      const int64_t end = std::min(pixels_, (task + 1) * pixels_per_task_);
      for (int64_t pixel = task * pixels_per_task_; pixel < end; pixel += static_cast<int64_t>(kPixelsPerCall)) {
        tile.pixels = static_cast<size_t>(std::min<int64_t>(end - pixel, kPixelsPerCall));
        fill(image, zeros, pixel, tile.pixels, rows);
        const size_t first = static_cast<size_t>(pixel) * channels;
        uint8_t* to = out + first * element;
        tile.c = to_float ? scratch + tile_offset_ : to;
        tile.c_stride = channels * element;
        kernel(tile);
        if (to_float) scale(p, reinterpret_cast<const int32_t*>(scratch + tile_offset_), tile.pixels, reinterpret_cast<float*>(to));
        if (residual || p.table) finish_bytes(p, to, residual ? residual + first : nullptr, tile.pixels, channels, channels);
      }
    });
    return Status::Ok();
  }

 private:
  void scale(const QLinearParameters& p, const int32_t* acc, size_t pixels, float* out) const {
    const bool bias = model_.linear.float_bias();
    for (size_t i = 0; i < pixels; ++i)
      for (size_t c = 0; c < model_.channels; ++c, ++acc, ++out) {
        const float v = static_cast<float>(*acc) * p.columns.multiplier[c];
        *out = bias ? v + p.columns.float_bias[c] : v;
      }
  }

  void fill(const uint8_t* image, const uint8_t* zeros, int64_t pixel, size_t count, const uint8_t** rows) const {
    const ConvWindow& w = model_.window;
    const int64_t channels = sizes_.channels, height = sizes_.in[0], width = sizes_.in[1];
    const int64_t per_image = sizes_.pixels();
    int64_t n = pixel / per_image, oy = pixel % per_image / sizes_.out[1], ox = pixel % per_image % sizes_.out[1];
    for (size_t i = 0; i < count; ++i) {
      const int64_t y0 = oy * w.stride[0] - sizes_.begin[0], x0 = ox * w.stride[1] - sizes_.begin[1];
      const uint8_t* base = image + n * height * width * channels;
      for (int64_t ky = 0; ky < w.kernel[0]; ++ky) {
        const int64_t y = y0 + ky * w.dilation[0];
        const bool row_inside = y >= 0 && y < height;
        for (int64_t kx = 0; kx < w.kernel[1]; ++kx) {
          const int64_t x = x0 + kx * w.dilation[1];
          *rows++ = row_inside && x >= 0 && x < width ? base + (y * width + x) * channels : zeros;
        }
      }
      if (model_.even_taps != model_.taps) *rows++ = zeros;
      if (++ox < sizes_.out[1]) continue;
      ox = 0;
      if (++oy < sizes_.out[0]) continue;
      oy = 0;
      ++n;
    }
  }

  const QDwModel& model_;
  ConvSizes sizes_;
  QLinearShape shape_;
  int64_t pixels_ = 0, pixels_per_task_ = 0;
  size_t zeros_offset_ = 0, weights_offset_ = 0, sums_offset_ = 0, tile_offset_ = 0;
};

class QDwConv final : public Op {
 public:
  Status load(const LoadContext& c) {
    QDwModel& m = model_;
    OCTAVO_RETURN_IF_ERROR(m.linear.load(c));
    const TensorSpec& w = *c.input(kW);
    OCTAVO_RETURN_IF_ERROR(m.window.load(c, w));
    m.kernel = &choose_qdwconv();
    m.channels = static_cast<size_t>(w.shape[0]);
    m.taps = static_cast<size_t>(m.window.taps());
    if (w.byte_length != m.channels * m.taps) return c.error(Code::kInvalidPlan, "weights of " + std::to_string(w.byte_length) + " bytes");
    m.even_taps = round_up(m.taps, 2);
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
      return Status::Ok();
    }
    if (!m.weights.allocate(m.even_taps * m.padded * sizeof(int16_t)) || !m.sums.allocate(m.padded * sizeof(int32_t)) ||
        !m.columns.allocate(m.padded * QLinearColumns::kBytes))
      return c.error(Code::kOutOfMemory, "weights");
    const TensorSpec* zeros = c.input(kWZero);
    m.pack(w.data, zeros ? zeros->data : nullptr, zeros && zeros->shape.elements() == 1, m.weights.as<int16_t>(), m.sums.as<int32_t>());
    s.sums = m.sums.as<int32_t>();
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

 private:
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
