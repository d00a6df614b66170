// QPool: maximum and average over windows of quantized activations, [N, spatial..., C].
#include <cstring>

#include "kernels/q8/q8.h"
#include "ops/support/chunks.h"
#include "ops/math/function_chain.h"
#include "ops/image/pool_window.h"
#include "ops/steps.h"

namespace octavo {
namespace {

struct Attributes {
  ops::PoolAttributes pool;
  ops::Quantization x, y;
  ops::Clamp clamp;
  bool max = false;

  Status load(const LoadContext& c) {
    OCTAVO_RETURN_IF_ERROR(pool.load(c));
    const std::string fn = c.text("fn", "");
    if (fn != "max" && fn != "average") return c.error(Code::kUnsupported, "no function \"" + fn + "\"");
    max = fn == "max";
    OCTAVO_RETURN_IF_ERROR(x.load(c, step::QPool::kXScale, step::QPool::kXZp, c.input(step::QPool::kX)->dtype));
    OCTAVO_RETURN_IF_ERROR(y.load(c, step::QPool::kYScale, step::QPool::kYZp, c.output(0).dtype));
    return clamp.load(c, c.output(0).dtype);
  }
};

class QPool final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = a;
    OCTAVO_RETURN_IF_ERROR(window_.plan(a.pool, c));
    OCTAVO_RETURN_IF_ERROR(a.x.bind(c));
    OCTAVO_RETURN_IF_ERROR(a.y.bind(c));
    // One output pixel in int32 (average) or bytes (max), and its slack.
    c.scratch(0, static_cast<size_t>(window_.channels) * sizeof(int32_t) + kReadSlack);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    ops::QuantParams x, y;
    OCTAVO_RETURN_IF_ERROR(attributes_.x.read(c, &x));
    OCTAVO_RETURN_IF_ERROR(attributes_.y.read(c, &y));
    const int64_t rows = window_.rows();
    if (attributes_.max) {
      const ops::Clamp& clamp = attributes_.clamp;
      const bool bounded =
          clamp.qmin > (attributes_.y.is_signed() ? -128 : 0) || clamp.qmax < (attributes_.y.is_signed() ? 127 : 255);
      const bool same =
          !bounded && attributes_.x.is_signed() == attributes_.y.is_signed() && x.scale == y.scale && x.zp == y.zp;
      uint8_t table[256];
      if (!same) ops::fill_table(ops::FunctionChain(), x, attributes_.x.is_signed(), y, clamp, table);
      c.pool().for_each(rows, [&](int64_t row, int thread) {
        max_row(c, row, same ? nullptr : table, static_cast<uint8_t*>(c.thread_scratch(thread)));
      });
    } else {
      c.pool().for_each(rows, [&](int64_t row, int thread) {
        average_row(c, row, x, y, static_cast<int32_t*>(c.thread_scratch(thread)));
      });
    }
    return Status::Ok();
  }

 private:
  const uint8_t* image(RunContext& c, int64_t row) const {
    return c.in<uint8_t>(0) + row / (window_.out[0] * window_.out[1]) * window_.pixels() * window_.channels;
  }

  // Taps of one call of the kernel; larger windows take several.
  static constexpr int64_t kTaps = 32;

  void max_row(RunContext& c, int64_t row, const uint8_t* table, uint8_t* pixel) const {
    const uint8_t* x = image(c, row);
    uint8_t* out = c.out<uint8_t>(0);
    const int64_t channels = window_.channels;
    const size_t bytes = static_cast<size_t>(channels);
    const bool is_signed = attributes_.x.is_signed();
    const Q8Kernels& q8 = q8_kernels();
    window_.for_each_pixel(row, [&](int64_t at, const ops::PoolWindow::Range* r, int64_t inside, int64_t) {
      uint8_t* y = table == nullptr ? out + at * channels : pixel;
      if (inside == 0) std::memset(y, is_signed ? 0x80 : 0, bytes);
      const uint8_t* taps[kTaps];
      int64_t count = 0;
      window_.for_each_tap(r, [&](int64_t tap) {
        if (count == kTaps) {
          q8.max_of(taps, count, is_signed, y, channels);
          taps[0] = y;
          count = 1;
        }
        taps[count++] = x + tap * channels;
      });
      if (count > 0) q8.max_of(taps, count, is_signed, y, channels);
      if (table != nullptr) q8.lookup(y, out + at * channels, channels, table);
    });
  }

  void average_row(RunContext& c, int64_t row, const ops::QuantParams& px, const ops::QuantParams& py,
                   int32_t* sum) const {
    const uint8_t* x = image(c, row);
    uint8_t* out = c.out<uint8_t>(0);
    const int64_t channels = window_.channels;
    window_.for_each_pixel(row, [&](int64_t at, const ops::PoolWindow::Range* r, int64_t inside, int64_t divisor) {
      // Padding counts as real 0, which is the zero point: only taps inside take it away again.
      const int32_t start = -static_cast<int32_t>(inside) * px.zp;
      for (int64_t i = 0; i < channels; ++i) sum[i] = start;
      window_.for_each_run(r, [&](int64_t first, int64_t count) {
        q8_kernels().add_rows(x + first * channels, count, window_.dilation[2] * channels, attributes_.x.is_signed(),
                              sum, channels);
      });
      const float n = static_cast<float>(divisor > 0 ? divisor : 1);
      const float wide = py.scale * n;
      q8_kernels().requantize(sum, out + at * channels, channels, px.scale / wide, py.zp, attributes_.clamp.qmin,
                              attributes_.clamp.qmax);
    });
  }

  Attributes attributes_;
  ops::PoolWindow window_;
};

}  // namespace

Status make_qpool(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, QPool>(c, op); }

}  // namespace octavo
