#include "ops/conv/bit_conv.h"

#include "ops/conv/conv_geometry.h"
#include "ops/conv/qconv_source.h"
#include "ops/product/bit_driver.h"

namespace octavo {
namespace {

struct BitConvModel {
  ProductOperands operands;
  ConvWindow window;
  BitWeights weights;
  int64_t channels = 0, out_channels = 0;
};

class BoundBitConv final : public Bound {
 public:
  explicit BoundBitConv(const BitConvModel& model) : model_(model) {}

  Status prepare(BindContext& c) {
    const ConvWindow& w = model_.window;
    OCTAVO_RETURN_IF_ERROR(sizes_.bind(c, w, model_.channels, model_.out_channels));
    OCTAVO_RETURN_IF_ERROR(check_conv_output(c, w, sizes_));
    ParameterCounts counts;
    OCTAVO_RETURN_IF_ERROR(model_.operands.bind(c, model_.out_channels, 0, &counts));
    int64_t rows = 0;
    if (__builtin_mul_overflow(sizes_.batch, sizes_.pixels(), &rows) ||
        __builtin_mul_overflow(sizes_.batch, sizes_.in[0], &pixels_) ||
        __builtin_mul_overflow(pixels_, sizes_.in[1], &pixels_))
      return c.error(Code::kLimit, "too many pixels");
    tasks_ = BitTasks(model_.weights, rows);
    ScratchPlan shared, own;
    image_.add(&shared, model_.weights, pixels_);
    tile_.add(&own, model_.weights);
    if (!shared.fits() || !own.fits())
      return c.error(Code::kLimit, "an image of " + ops::dims_text(c.in(ProductInput::kX)));
    c.scratch(shared.bytes(), own.bytes());
    for (int64_t y = 0; y < w.kernel[0]; ++y)
      for (int64_t x = 0; x < w.kernel[1]; ++x)
        offsets_.push_back(y * w.dilation[0] * sizes_.in[1] + x * w.dilation[1]);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    return run_bit_product(c, model_.operands, model_.weights, tasks_, image_, tile_,
                           [&](const BitImage& image, bool sum, size_t group, int64_t row, size_t m,
                               const BitTileMemory& to) { return fill(image, sum, group, row, m, to); });
  }

 private:
  // The pixels of m windows, tap by tap: those outside of the image are the row of zeros at its end.
  bool fill(const BitImage& image, bool sum, size_t group, int64_t row, size_t m, const BitTileMemory& to) const {
    const BitWeights& w = model_.weights;
    const ConvWindow& window = model_.window;
    const int64_t groups = window.group, height = sizes_.in[0], width = sizes_.in[1];
    const int64_t words = static_cast<int64_t>(w.words), own = static_cast<int64_t>(group);
    const size_t mr = static_cast<size_t>(w.kernel->mr), taps = w.taps;
    const int32_t all = static_cast<int32_t>(w.taps * w.k);
    bool masked = image.has_zeros;
    bool outside[kBitMaxRows];
    for (size_t r = 0; r < mr; ++r) {
      const int64_t at = row + static_cast<int64_t>(std::min(r, m - 1));
      const int64_t n = at / sizes_.pixels(), pixel = at - n * sizes_.pixels(), oy = pixel / sizes_.out[1];
      const int64_t y = oy * window.stride[0] - sizes_.begin[0],
                    x = (pixel - oy * sizes_.out[1]) * window.stride[1] - sizes_.begin[1];
      outside[r] = y < 0 || x < 0 || y + window.reach(0) >= height || x + window.reach(1) >= width;
      masked |= outside[r];
      // In elements of present and sums; rows of bits are `words` times that.
      const int64_t first = ((n * height + y) * width + x) * groups + own, border = pixels_ * groups + own;
      int32_t present = 0, sums = 0;
      for (size_t tap = 0; tap < taps; ++tap) {
        int64_t from = first + offsets_[tap] * groups;
        if (outside[r]) {
          const int64_t ky = static_cast<int64_t>(tap) / window.kernel[1],
                        kx = static_cast<int64_t>(tap) - ky * window.kernel[1];
          const int64_t ty = y + ky * window.dilation[0], tx = x + kx * window.dilation[1];
          if (ty < 0 || ty >= height || tx < 0 || tx >= width) from = border;
        }
        to.rows[tap * mr + r] = image.positive + from * words;
        if (image.has_zeros || outside[r]) present += image.present[from];
        if (sum) sums += image.sums[from];
      }
      to.present[r] = image.has_zeros || outside[r] ? present : all;
      to.row_sums[r] = static_cast<uint32_t>(sums);
    }
    for (size_t i = 0; masked && i < taps * mr; ++i) to.masks[i] = image.nonzero + (to.rows[i] - image.positive);
    return masked;
  }

  const BitConvModel& model_;
  ConvSizes sizes_;
  int64_t pixels_ = 0;  // of all images
  BitTasks tasks_;
  BitImageScratch image_;
  BitTileScratch tile_;
  std::vector<int64_t> offsets_;  // of taps, in pixels
};

class BitConv final : public Op {
 public:
  Status load(const LoadContext& c) {
    OCTAVO_RETURN_IF_ERROR(model_.operands.load(c));
    OCTAVO_RETURN_IF_ERROR(model_.window.load(c, *c.input(ProductInput::kW)));
    WeightSource source;
    OCTAVO_RETURN_IF_ERROR(conv_weights_of(c, model_.operands, model_.window, &source));
    model_.channels = static_cast<int64_t>(source.groups * source.k);
    model_.out_channels = static_cast<int64_t>(source.groups * source.n);
    return pack_bits(c, model_.operands, source, &model_.weights);
  }
  Status bind(BindContext& c, std::unique_ptr<Bound>* bound) const override {
    auto made = std::make_unique<BoundBitConv>(model_);
    OCTAVO_RETURN_IF_ERROR(made->prepare(c));
    *bound = std::move(made);
    return Status::Ok();
  }
  std::string kernel() const override { return model_.weights.kernel->name; }
  bool reads_constant(int input) const override { return model_.operands.reads_constant(input); }
  size_t packed_bytes() const override { return model_.weights.bytes() + model_.operands.copied_bytes(); }

 private:
  BitConvModel model_;
};

}  // namespace

bool is_bit_conv(const LoadContext& c) {
  ProductOperands operands;
  return c.integer("ternary", 0) != 0 && operands.load(c).ok() && takes_bits(c, operands);
}

Status make_bit_conv(const LoadContext& context, std::unique_ptr<Op>* op) {
  auto made = std::make_unique<BitConv>();
  OCTAVO_RETURN_IF_ERROR(made->load(context));
  *op = std::move(made);
  return Status::Ok();
}

}  // namespace octavo
