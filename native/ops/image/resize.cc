// Resize of [N, spatial..., C]: nearest copies pixels of any type; linear and cubic go one axis after the other in
// float32. QResize does so between dequantizing and quantizing (docs/steps.md).
#include <cstring>

#include "kernels/q8/q8.h"
#include "ops/support/chunks.h"
#include "ops/quantize/quantization.h"
#include "ops/image/resize_axis.h"
#include "ops/steps.h"

namespace octavo {
namespace {

// The axes of a step, and the memory that the passes between them need.
struct Passes {
  int64_t batch = 0, channels = 0;
  std::vector<ops::ResizeAxis> axes;
  int64_t largest = 0;  // elements of the largest tensor between two passes
  int active = 0;
  float extrapolation = 0;

  Status plan(const ops::ResizeAttributes& a, BindContext& c) {
    const Shape &x = c.in(0), &y = c.out(0);
    if (x.rank < 3 || y.rank != x.rank || x[0] != y[0] || x[x.rank - 1] != y[x.rank - 1])
      return c.error(Code::kShape, "expected [N, spatial..., C] with the same N and C, got " + ops::dims_text(x) +
                                       " and " + ops::dims_text(y));
    batch = x[0];
    channels = x[x.rank - 1];
    extrapolation = a.extrapolation;
    axes.resize(static_cast<size_t>(x.rank - 2));
    for (size_t i = 0; i < axes.size(); ++i)
      OCTAVO_RETURN_IF_ERROR(
          axes[i].plan(c, a, x[static_cast<int>(i) + 1], y[static_cast<int>(i) + 1], i, axes.size()));
    // Each pass is at most as large as max(in, out) on every axis.
    largest = batch * channels;
    for (const ops::ResizeAxis& axis : axes) {
      const int64_t size = axis.in > axis.out ? axis.in : axis.out;
      if (size > 0 && largest > (int64_t{1} << 40) / size)
        return c.error(Code::kLimit, "the passes of the resize need more than 2^40 elements");
      largest *= size;
      if (!axis.identity) ++active;
    }
    return Status::Ok();
  }
  size_t buffer_bytes() const { return (static_cast<size_t>(largest) * sizeof(float) + 2 * kReadSlack) / 64 * 64; }

  // x to y; a and b: buffers of the passes between. Gives where the result is: y, or x if nothing is to do.
  const float* run(ThreadPool& pool, const float* x, float* y, float* a, float* b) const {
    int left = active;
    for (size_t i = axes.size(); i-- > 0;) {  // the innermost first: its rows are the shortest
      const ops::ResizeAxis& axis = axes[i];
      if (axis.identity) continue;
      int64_t outer = batch, inner = channels;
      for (size_t k = 0; k < i; ++k) outer *= axes[k].in;
      for (size_t k = i + 1; k < axes.size(); ++k) inner *= axes[k].out;
      float* to = --left == 0 ? y : x == a ? b : a;
      pass(pool, axis, outer, inner, x, to);
      x = to;
    }
    if (x == y) extrapolate(y);
    return x;
  }

 private:
  static void pass(ThreadPool& pool, const ops::ResizeAxis& axis, int64_t outer, int64_t inner, const float* x,
                   float* y) {
    ops::for_rows(pool, outer * axis.out, inner * axis.taps, [&](int64_t row) {
      const int64_t o = row % axis.out;
      const float* from = x + row / axis.out * axis.in * inner;
      float* to = y + row * inner;
      const int64_t* index = axis.index.data() + o * axis.taps;
      const float* weight = axis.weight.data() + o * axis.taps;
      const float* first = from + index[0] * inner;
      const float first_weight = weight[0];
      for (int64_t i = 0; i < inner; ++i) to[i] = first[i] * first_weight;
      for (int64_t k = 1; k < axis.taps; ++k) {
        const float w = weight[k];
        const float* other = from + index[k] * inner;
        if (w == 0) continue;
        for (int64_t i = 0; i < inner; ++i) to[i] += other[i] * w;
      }
    });
  }
  void extrapolate(float* y) const {
    for (size_t i = 0; i < axes.size(); ++i) {
      if (axes[i].outside.empty()) continue;
      int64_t outer = batch, inner = channels;
      for (size_t k = 0; k < i; ++k) outer *= axes[k].out;
      for (size_t k = i + 1; k < axes.size(); ++k) inner *= axes[k].out;
      for (int64_t row = 0; row < outer * axes[i].out; ++row)
        if (axes[i].outside[static_cast<size_t>(row % axes[i].out)])
          for (int64_t k = 0; k < inner; ++k) y[row * inner + k] = extrapolation;
    }
  }
};

struct Attributes {
  ops::ResizeAttributes resize;
  Status load(const LoadContext& c) {
    OCTAVO_RETURN_IF_ERROR(resize.load(c));
    const DType type = c.output(0).dtype;
    const bool ok = resize.fn == ops::ResizeFn::kNearest ? byte_size(type) != 0 : type == DType::kFloat32;
    if (!ok) return c.error(Code::kUnsupported, std::string("elements of type ") + dtype_name(type));
    if (resize.coordinates == ops::Coordinates::kCropAndResize && type != DType::kFloat32)
      return c.error(Code::kUnsupported, std::string("tf_crop_and_resize of ") + dtype_name(type));
    return Status::Ok();
  }
};

class Resize final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    nearest_ = a.resize.fn == ops::ResizeFn::kNearest;
    width_ = byte_size(c.out_type(0));
    OCTAVO_RETURN_IF_ERROR(passes_.plan(a.resize, c));
    crops_ = a.resize.coordinates == ops::Coordinates::kCropAndResize;
    if (!nearest_ || crops_) c.scratch(2 * passes_.buffer_bytes(), 0);
    return Status::Ok();
  }
  Status run(RunContext& c) override {
    if (passes_.active == 0) {
      std::memcpy(c.output(0), c.input(0), static_cast<size_t>(passes_.largest) * width_);
    } else if (nearest_ && !crops_) {
      copy_pixels(c);
    } else {
      float* a = static_cast<float*>(c.shared_scratch());
      passes_.run(c.pool(), c.in<float>(0), c.out<float>(0), a, a + passes_.buffer_bytes() / sizeof(float));
    }
    return Status::Ok();
  }

 private:
  void copy_pixels(RunContext& c) const {
    const uint8_t* x = c.in<uint8_t>(0);
    uint8_t* y = c.out<uint8_t>(0);
    const std::vector<ops::ResizeAxis>& axes = passes_.axes;
    const ops::ResizeAxis& line = axes.back();
    const size_t pixel = static_cast<size_t>(passes_.channels) * width_;
    int64_t rows = passes_.batch;
    for (size_t i = 0; i + 1 < axes.size(); ++i) rows *= axes[i].out;
    ops::for_rows(c.pool(), rows, line.out * static_cast<int64_t>(pixel), [&](int64_t row) {
      int64_t rest = row, from = 0, stride = 1;
      for (size_t i = axes.size() - 1; i-- > 0;) {
        const int64_t o = rest % axes[i].out;
        rest /= axes[i].out;
        from += (axes[i].identity ? o : axes[i].index[static_cast<size_t>(o)]) * stride;
        stride *= axes[i].in;
      }
      const uint8_t* source = x + static_cast<size_t>((rest * stride + from) * line.in) * pixel;
      uint8_t* to = y + static_cast<size_t>(row * line.out) * pixel;
      for (int64_t o = 0; o < line.out; ++o, to += pixel)
        std::memcpy(to, source + static_cast<size_t>(line.identity ? o : line.index[static_cast<size_t>(o)]) * pixel,
                    pixel);
    });
  }

  bool nearest_ = false, crops_ = false;
  size_t width_ = 4;
  Passes passes_;
};

struct QAttributes {
  ops::ResizeAttributes resize;
  ops::Quantization x, y;
  ops::Clamp clamp;
  Status load(const LoadContext& c) {
    OCTAVO_RETURN_IF_ERROR(resize.load(c));
    OCTAVO_RETURN_IF_ERROR(x.load(c, step::QResize::kXScale, step::QResize::kXZp, c.input(step::QResize::kX)->dtype));
    OCTAVO_RETURN_IF_ERROR(y.load(c, step::QResize::kYScale, step::QResize::kYZp, c.output(0).dtype));
    return clamp.load(c, c.output(0).dtype);
  }
};

class QResize final : public Bound {
 public:
  Status prepare(const QAttributes& a, BindContext& c) {
    attributes_ = a;
    OCTAVO_RETURN_IF_ERROR(passes_.plan(a.resize, c));
    OCTAVO_RETURN_IF_ERROR(a.x.bind(c));
    OCTAVO_RETURN_IF_ERROR(a.y.bind(c));
    in_ = c.in(0).elements();
    out_ = c.out(0).elements();
    c.scratch(4 * passes_.buffer_bytes(), 0);
    return Status::Ok();
  }
  Status run(RunContext& c) override {
    ops::QuantParams x, y;
    OCTAVO_RETURN_IF_ERROR(attributes_.x.read(c, &x));
    OCTAVO_RETURN_IF_ERROR(attributes_.y.read(c, &y));
    const int64_t buffer = static_cast<int64_t>(passes_.buffer_bytes() / sizeof(float));
    float* real = static_cast<float*>(c.shared_scratch());
    float* result = real + buffer;
    const uint8_t* in = c.in<uint8_t>(0);
    ops::for_chunks(c.pool(), in_, [&](int64_t begin, int64_t end) {
      q8_kernels().dequantize(in + begin, attributes_.x.is_signed(), real + begin, end - begin, 1.0f, x.zp);
    });
    const float* resized = passes_.run(c.pool(), real, result, result + buffer, result + 2 * buffer);
    uint8_t* out = c.out<uint8_t>(0);
    const float m = x.scale / y.scale;
    ops::for_chunks(c.pool(), out_, [&](int64_t begin, int64_t end) {
      q8_kernels().scale_to_bytes(resized + begin, out + begin, end - begin, m, y.zp, attributes_.clamp.qmin,
                                  attributes_.clamp.qmax);
    });
    return Status::Ok();
  }

 private:
  QAttributes attributes_;
  Passes passes_;
  int64_t in_ = 0, out_ = 0;
};

}  // namespace

Status make_resize(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Resize>(c, op); }
Status make_qresize(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<QAttributes, QResize>(c, op); }

}  // namespace octavo
