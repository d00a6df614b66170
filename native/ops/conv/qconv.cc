// QConv: convolution over NHWC. Three ways to the kernel:
//  pointwise    1x1, stride 1: the image is the matrix
//  indirection  pointers to the rows of the image: one tap per kernel position; positions outside of the image point at
//               a row of zero points. Of few channels one tap per kernel row: its positions lie side by side, and are
//               copied where the border cuts them
//  im2col       few channels: the windows of a tile are put together, kw * C bytes per kernel row, from an image with
//               its padding in place
#include <algorithm>

#include "ops/conv/bit_conv.h"
#include "ops/conv/conv_geometry.h"
#include "ops/conv/qconv_source.h"
#include "ops/conv/qdwconv.h"
#include "ops/product/planes.h"
#include "ops/product/product_weights.h"
#include "ops/product/qgemm_driver.h"
#include "ops/support/rounding.h"

namespace octavo {
namespace {

enum class Lowering : uint8_t { kPointwise, kIndirection, kIm2col };

struct QConvModel {
  ProductOperands operands;
  ConvWindow window;
  ProductWeights weights;
  int64_t channels = 0, out_channels = 0;
  bool im2col = false;
};

// A kernel row is copied in pieces of this size, over the beginning of the next one.
constexpr size_t kPiece = 16;

// Kernel rows of so many channels are one tap: of more, the copies at the border cost what fewer pointers save.
constexpr int64_t kRowTapChannels = 64;

class BoundQConv final : public Bound {
 public:
  explicit BoundQConv(const QConvModel& model) : model_(model) {}

  Status prepare(BindContext& c, const Tuning& tuning) {
    const ConvWindow& w = model_.window;
    OCTAVO_RETURN_IF_ERROR(sizes_.bind(c, w, model_.channels, model_.out_channels));
    OCTAVO_RETURN_IF_ERROR(check_conv_output(c, w, sizes_));
    shape_ = model_.weights.folded.shape;
    OCTAVO_RETURN_IF_ERROR(model_.operands.bind(c, model_.out_channels, 0, &shape_.counts));
    const bool convert = model_.operands.x_format().is_signed != model_.weights.kernel->a_signed();
    const bool pointwise = w.taps() == 1 && w.stride[0] == 1 && w.stride[1] == 1 && !sizes_.padded();
    lowering_ = model_.im2col ? Lowering::kIm2col : pointwise ? Lowering::kPointwise : Lowering::kIndirection;
    for (int axis = 0; axis < 2; ++axis)
      image_[axis] = sizes_.in[axis] + (lowering_ == Lowering::kIm2col ? sizes_.begin[axis] + sizes_.end[axis] : 0);
    const bool wide = blocks_.wide = model_.operands.wide();
    copy_ = convert || wide || (lowering_ == Lowering::kIm2col && sizes_.padded());

    blocks_.kernel = model_.weights.kernel;
    blocks_.layout = model_.weights.layout;
    // Weights of whole units of kr are packed alike for kw taps of C bytes and for one of kw * C.
    row_taps_ = blocks_.layout.packing->joins_taps && lowering_ == Lowering::kIndirection && w.group == 1 &&
                w.dilation[1] == 1 && w.kernel[1] > 1 && sizes_.channels <= kRowTapChannels &&
                sizes_.channels % blocks_.kernel->kr == 0;
    if (row_taps_)
      blocks_.layout.taps = static_cast<size_t>(w.kernel[0]), blocks_.layout.k *= static_cast<size_t>(w.kernel[1]);
    blocks_.batches = w.group;
    if (__builtin_mul_overflow(sizes_.batch, sizes_.pixels(), &blocks_.rows))
      return c.error(Code::kLimit, "too many pixels");
    blocks_.plan(tuning);

    const size_t channels = static_cast<size_t>(sizes_.channels);
    size_t& image = plane_bytes_;
    bool fits = !__builtin_mul_overflow(static_cast<size_t>(sizes_.batch), static_cast<size_t>(image_[0]), &image) &&
                !__builtin_mul_overflow(image, static_cast<size_t>(image_[1]), &image) &&
                !__builtin_mul_overflow(image, channels, &image) && image <= PTRDIFF_MAX / 4;
    const bool copies_windows = lowering_ == Lowering::kIm2col || row_taps_;
    row_bytes_ = (copies_windows ? static_cast<size_t>(w.kernel[1]) : 1) * channels;
    ScratchPlan shared, own;
    if (!model_.weights.folded.constant()) columns_.add(&shared, shape_.columns(), wide);
    zeros_ = shared.add<uint8_t>(row_bytes_ + (wide ? row_bytes_ + kReadSlack : 0), kReadSlack);
    if (copy_) copied_ = shared.add<uint8_t>(blocks_.planes() * image, kReadSlack);
    tile_.add(&own, blocks_);
    if (copies_windows) {
      window_bytes_ = lowering_ == Lowering::kIm2col ? round_up(blocks_.layout.k + kPiece + kQGemmOverRead, 64)
                                                     : blocks_.layout.taps * round_up(row_bytes_ + kQGemmOverRead, 64);
      windows_ = own.add<uint8_t>(blocks_.planes() * window_bytes_ * static_cast<size_t>(blocks_.kernel->mr));
    }
    fits = fits && shared.fits() && own.fits();
    if (!fits) return c.error(Code::kLimit, "a padded image of " + ops::dims_text(c.in(ProductInput::kX)));
    c.scratch(shared.bytes(), own.bytes());

    if (lowering_ != Lowering::kIndirection) return Status::Ok();
    for (int64_t y = 0; y < w.kernel[0]; ++y)
      for (int64_t x = 0; x < (row_taps_ ? 1 : w.kernel[1]); ++x)
        offsets_.push_back((y * w.dilation[0] * image_[1] + x * w.dilation[1]) * sizes_.channels);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    if (blocks_.tasks() == 0) return Status::Ok();
    void* shared = c.shared_scratch();
    ProductEpilogue epilogue;
    OCTAVO_RETURN_IF_ERROR(model_.weights.folded.epilogue(c, model_.operands, shape_, columns_.in(shared), &epilogue));
    uint8_t* zeros = zeros_.in(shared);
    const bool wide = blocks_.wide;
    const PlaneZeros zero(epilogue.x_zero, shape_.a_signed);
    std::memset(zeros, wide ? zero.upper : epilogue.x_zero & 0xFF, row_bytes_ + kReadSlack);
    if (wide) std::memset(zeros + row_bytes_ + kReadSlack, zero.lower, row_bytes_ + kReadSlack);
    const uint8_t* image = c.in<uint8_t>(ProductInput::kX);
    if (copy_) {
      if (wide) split_image(c, c.in<uint16_t>(ProductInput::kX), copied_.in(shared), zero);
      else copy_image(c, image, copied_.in(shared), static_cast<uint8_t>(epilogue.x_zero));
      image = copied_.in(shared);
    }

    const size_t groups = static_cast<size_t>(model_.window.group);
    QGemmRun run;
    run.packed = model_.weights.packed.data();
    run.zeros = model_.weights.zeros.data();
    run.packed_stride = groups > 1 ? blocks_.layout.bytes() : 0;
    run.columns_stride = groups > 1 ? shape_.padded : 0;
    run.out = c.out<uint8_t>(0);
    run.residual = model_.operands.has_residual() ? c.in<uint8_t>(ProductInput::kResidual) : nullptr;
    run.out_stride = blocks_.layout.n;
    run.row_stride = static_cast<size_t>(sizes_.out_channels);
    const int64_t depth = sizes_.channels / model_.window.group;
    run_qgemm(c, blocks_, tile_, run, epilogue,
              [&](size_t batch, int64_t row, size_t m, const uint8_t** rows, int thread, size_t plane) {
                const uint8_t* from = image + plane * plane_bytes_ + batch * static_cast<size_t>(depth);
                uint8_t* to = windows_.in(c.thread_scratch(thread)) +
                              plane * window_bytes_ * static_cast<size_t>(blocks_.kernel->mr);
                if (lowering_ == Lowering::kIm2col) {
                  if (row_bytes_ <= kPiece) copy_windows<1>(from, row, m, rows, to);
                  else if (row_bytes_ <= 2 * kPiece) copy_windows<2>(from, row, m, rows, to);
                  else copy_windows<0>(from, row, m, rows, to);
                } else if (lowering_ == Lowering::kIndirection) {
                  fill(from, zeros + plane * (row_bytes_ + kReadSlack), row, m, rows, to);
                } else {
                  for (size_t r = 0; r < m; ++r) rows[r] = from + (row + static_cast<int64_t>(r)) * sizes_.channels;
                  repeat_last_row(blocks_, m, rows);
                }
              });
    return Status::Ok();
  }

 private:
  // Where a line of x begins in a line of its copy, and how long both are.
  struct Line {
    size_t left, bytes, wide;
  };
  Line line() const {
    const size_t left = lowering_ == Lowering::kIm2col ? static_cast<size_t>(sizes_.begin[1] * sizes_.channels) : 0;
    return {left, static_cast<size_t>(sizes_.in[1] * sizes_.channels),
            static_cast<size_t>(image_[1] * sizes_.channels)};
  }

  // copy(i, from) for every line i of the copied images: `from` is the line of x in it; -1: it is padding.
  template <class Copy>
  void each_line(RunContext& c, Copy&& copy) const {
    const int64_t top = lowering_ == Lowering::kIm2col ? sizes_.begin[0] : 0, lines = sizes_.batch * image_[0];
    constexpr int64_t kLines = 16;
    c.pool().for_each((lines + kLines - 1) / kLines, [&](int64_t task, int) {
      for (int64_t i = task * kLines; i < std::min(lines, (task + 1) * kLines); ++i) {
        const int64_t n = i / image_[0], y = i % image_[0] - top;
        copy(static_cast<size_t>(i), y < 0 || y >= sizes_.in[0] ? -1 : n * sizes_.in[0] + y);
      }
    });
  }

  void copy_image(RunContext& c, const uint8_t* from, uint8_t* to, uint8_t zero) const {
    const bool convert = model_.operands.x_format().is_signed != model_.weights.kernel->a_signed();
    const uint8_t flip = convert ? 0x80 : 0;
    const Line l = line();
    each_line(c, [&](size_t i, int64_t y) {
      uint8_t* out = to + i * l.wide;
      if (y < 0) {
        std::memset(out, zero, l.wide);
        return;
      }
      const uint8_t* in = from + static_cast<size_t>(y) * l.bytes;
      std::memset(out, zero, l.left);
      if (flip)
        for (size_t b = 0; b < l.bytes; ++b) out[l.left + b] = in[b] ^ flip;
      else std::memcpy(out + l.left, in, l.bytes);
      std::memset(out + l.left + l.bytes, zero, l.wide - l.left - l.bytes);
    });
  }

  // The same of 16 bits, to two images of bytes.
  void split_image(RunContext& c, const uint16_t* from, uint8_t* to, PlaneZeros zero) const {
    const PlaneFlips flips(model_.operands.x_format().is_signed, shape_.a_signed);
    const Line l = line();
    each_line(c, [&](size_t i, int64_t y) {
      uint8_t *upper = to + i * l.wide, *lower = upper + plane_bytes_;
      if (y < 0 || l.bytes != l.wide) std::memset(upper, zero.upper, l.wide), std::memset(lower, zero.lower, l.wide);
      if (y >= 0)
        split_planes(from + static_cast<size_t>(y) * l.bytes, 1, l.bytes, flips, upper + l.left, lower + l.left);
    });
  }

  // The place of the window of a row.
  struct Place {
    int64_t n, y, x;
  };
  Place place_of(int64_t row) const {
    const int64_t pixels = sizes_.pixels(), width = sizes_.out[1];
    const int64_t n = row < pixels ? 0 : row / pixels, pixel = row - n * pixels, y = pixel / width;
    return {n, y, pixel - y * width};
  }

  // The windows of m rows, each in one piece. Sizes are copied first: bytes that are written might be theirs.
  template <size_t kPieces>
  void copy_windows(const uint8_t* image, int64_t row, size_t m, const uint8_t** rows, uint8_t* to) const {
    const ConvWindow& w = model_.window;
    const int64_t width = sizes_.out[1], height = sizes_.out[0], kernel_rows = w.kernel[0];
    const int64_t right = w.stride[1] * sizes_.channels, line = image_[1] * sizes_.channels,
                  down = w.dilation[0] * line;
    const size_t row_bytes = row_bytes_, window = window_bytes_,
                 pieces = kPieces ? kPieces : (row_bytes + kPiece - 1) / kPiece;
    auto [n, y, x] = place_of(row);
    for (size_t r = 0; r < m;) {
      const uint8_t* from = image + (n * image_[0] + y * w.stride[0]) * line + x * right;
      const size_t run = std::min(m - r, static_cast<size_t>(width - x));
      for (const size_t end = r + run; r < end; ++r, from += right, to += window) {
        rows[r] = to;
        const uint8_t* in = from;
        uint8_t* out = to;
        for (int64_t k = 0; k < kernel_rows; ++k, in += down, out += row_bytes)
          for (size_t i = 0; i < pieces; ++i) std::memcpy(out + i * kPiece, in + i * kPiece, kPiece);
      }
      x = 0;
      if (++y < height) continue;
      y = 0;
      ++n;
    }
    repeat_last_row(blocks_, m, rows);
  }

  // Pointers of m rows: as if every window lay inside, tap by tap, then those of the windows that do not.
  void fill(const uint8_t* image, const uint8_t* zeros, int64_t row, size_t m, const uint8_t** rows,
            uint8_t* cut) const {
    const ConvWindow& w = model_.window;
    const size_t mr = static_cast<size_t>(blocks_.kernel->mr);
    const int64_t width = sizes_.out[1], step = w.stride[1], right = step * sizes_.channels;
    const int64_t below = image_[0] - w.reach(0), beside = image_[1] - w.reach(1);
    auto [n, y, x] = place_of(row);
    uintptr_t base[kQGemmMaxRows];
    struct Outside {
      Place at;
      size_t row;
    } outside[kQGemmMaxRows];
    size_t count = 0;
    for (size_t r = 0; r < m;) {
      const int64_t y0 = y * w.stride[0] - sizes_.begin[0];
      const size_t end = std::min(m, r + static_cast<size_t>(width - x));
      const bool above_or_below = y0 < 0 || y0 >= below;
      int64_t x0 = x * step - sizes_.begin[1];
      uintptr_t at = reinterpret_cast<uintptr_t>(image) +
                     static_cast<uintptr_t>(((n * image_[0] + y0) * image_[1] + x0) * sizes_.channels);
      for (; r < end; ++r, x0 += step, at += static_cast<uintptr_t>(right)) {
        base[r] = at;
        if (above_or_below || x0 < 0 || x0 >= beside) outside[count++] = {{n, y0, x0}, r};
      }
      x = 0;
      if (++y < sizes_.out[0]) continue;
      y = 0;
      ++n;
    }
    const bool last_outside = count > 0 && outside[count - 1].row == m - 1;
    for (size_t r = m; r < mr; ++r) {
      base[r] = base[m - 1];
      if (last_outside) outside[count] = {outside[count - 1].at, r}, ++count;
    }
    if (mr == 8) add_offsets<8>(base, mr, rows);
    else if (mr == 4) add_offsets<4>(base, mr, rows);
    else add_offsets<0>(base, mr, rows);
    for (size_t i = 0; i < count; ++i) {
      const auto& [at, r] = outside[i];
      if (row_taps_) fill_cut(image, zeros, at, rows + r, mr, cut + r * window_bytes_);
      else fill_zeros(zeros, at, rows + r, mr);
    }
  }

  template <size_t kRows>
  void add_offsets(const uintptr_t* base, size_t mr, const uint8_t** rows) const {
    const size_t n = kRows ? kRows : mr;
    const int64_t* offset = offsets_.data();
    for (const int64_t* end = offset + offsets_.size(); offset < end; ++offset, rows += n)
      for (size_t r = 0; r < n; ++r)
        rows[r] = reinterpret_cast<const uint8_t*>(base[r] + static_cast<uintptr_t>(*offset));
  }

  // Taps that begin in the first `length` of an axis, of those that begin at `from` and further.
  static int64_t taps_before(int64_t length, int64_t from, int64_t dilation, int64_t taps) {
    const int64_t distance = std::max<int64_t>(length - from, 0);
    return std::min(taps, dilation == 1 ? distance : (distance + dilation - 1) / dilation);
  }

  // What of a window lies outside.
  void fill_zeros(const uint8_t* zeros, const Place& at, const uint8_t** rows, size_t mr) const {
    const ConvWindow& w = model_.window;
    const int64_t wide = w.kernel[1];
    const int64_t top = taps_before(0, at.y, w.dilation[0], w.kernel[0]),
                  bottom = taps_before(image_[0], at.y, w.dilation[0], w.kernel[0]);
    const int64_t left = taps_before(0, at.x, w.dilation[1], wide),
                  right = taps_before(image_[1], at.x, w.dilation[1], wide);
    for (int64_t ky = 0; ky < w.kernel[0]; ++ky) {
      const bool inside = ky >= top && ky < bottom;
      for (int64_t kx = 0; kx < (inside ? left : wide); ++kx) rows[static_cast<size_t>(ky * wide + kx) * mr] = zeros;
      for (int64_t kx = right; inside && kx < wide; ++kx) rows[static_cast<size_t>(ky * wide + kx) * mr] = zeros;
    }
  }

  // The same where a kernel row is one tap: what lies outside stands beside what does not in `to`.
  void fill_cut(const uint8_t* image, const uint8_t* zeros, const Place& at, const uint8_t** rows, size_t mr,
                uint8_t* to) const {
    const ConvWindow& w = model_.window;
    const int64_t height = image_[0], width = image_[1], reach = w.kernel[1];
    const size_t channels = static_cast<size_t>(sizes_.channels), row_bytes = row_bytes_,
                 stride = window_bytes_ / blocks_.layout.taps;
    const int64_t begin = std::clamp<int64_t>(at.x, 0, width), end = std::clamp<int64_t>(at.x + reach, 0, width);
    for (int64_t ky = 0; ky < w.kernel[0]; ++ky, rows += mr, to += stride) {
      const int64_t y = at.y + ky * w.dilation[0];
      if (y < 0 || y >= height) {
        *rows = zeros;
        continue;
      }
      if (end - begin == reach) continue;
      const uint8_t* from = image + ((at.n * height + y) * width + begin) * sizes_.channels;
      std::memcpy(to, zeros, row_bytes);
      std::memcpy(to + static_cast<size_t>(begin - at.x) * channels, from, static_cast<size_t>(end - begin) * channels);
      *rows = to;
    }
  }

  const QConvModel& model_;
  ConvSizes sizes_;
  ProductShape shape_;
  QGemmBlocks blocks_;
  Lowering lowering_ = Lowering::kIndirection;
  bool copy_ = false;
  size_t plane_bytes_ = 0;  // of an image that is copied
  int64_t image_[2] = {1, 1};
  bool row_taps_ = false;                    // one tap per kernel row
  size_t row_bytes_ = 0, window_bytes_ = 0;  // of one kernel row; of a window that is copied
  TileScratch tile_;
  ColumnScratch columns_;
  ScratchArray<uint8_t> zeros_, copied_, windows_;
  std::vector<int64_t> offsets_;
};

class QConv final : public Op {
 public:
  Status load(const LoadContext& c) {
    OCTAVO_RETURN_IF_ERROR(model_.operands.load(c));
    OCTAVO_RETURN_IF_ERROR(model_.window.load(c, *c.input(ProductInput::kW)));
    WeightSource source;
    OCTAVO_RETURN_IF_ERROR(conv_weights_of(c, model_.operands, model_.window, &source));
    model_.channels = static_cast<int64_t>(source.groups * source.k);
    model_.out_channels = static_cast<int64_t>(source.groups * source.n);
    tuning_ = &c.tuning();
    PackingOptions options;
    options.range = weight_range(c, source, model_.operands, false);
    const QGemmKernel& kernel = choose_qgemm(static_cast<int64_t>(source.n), options.range.narrow);
    // Whole windows fill the kernel's k groups better than single pixels do, for a copy: worth it while those are thin.
    options.one_tap = model_.im2col = source.groups == 1 && model_.window.kernel[1] > 1 &&
                                      model_.window.dilation[1] == 1 && source.k < 64 &&
                                      source.k % static_cast<size_t>(kernel.kr) != 0;
    return pack_weights(c, model_.operands, source, options, kernel, &model_.weights);
  }
  Status bind(BindContext& c, std::unique_ptr<Bound>* bound) const override {
    auto made = std::make_unique<BoundQConv>(model_);
    OCTAVO_RETURN_IF_ERROR(made->prepare(c, *tuning_));
    *bound = std::move(made);
    return Status::Ok();
  }
  std::string kernel() const override { return model_.weights.kernel->name; }
  bool reads_constant(int input) const override { return model_.operands.reads_constant(input); }
  size_t packed_bytes() const override { return model_.weights.bytes() + model_.operands.copied_bytes(); }

 private:
  QConvModel model_;
  const Tuning* tuning_ = nullptr;
};

}  // namespace

Status make_qconv(const LoadContext& context, std::unique_ptr<Op>* op) {
  if (is_depthwise(context)) return make_qdwconv(context, op);
  if (is_bit_conv(context)) return make_bit_conv(context, op);
  auto made = std::make_unique<QConv>();
  OCTAVO_RETURN_IF_ERROR(made->load(context));
  *op = std::move(made);
  return Status::Ok();
}

}  // namespace octavo
