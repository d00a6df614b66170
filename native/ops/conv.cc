// Conv and ConvTranspose of float32, channels last, 1 to 3 spatial axes.
//
// Constant weights of a Conv are packed at load, of a ConvTranspose when it is bound; others at every run. A row of a tile is an output pixel, with a pointer per tap; where the channels of a group are few, its taps are copied side by side instead.
#include <algorithm>

#include "kernels/sgemm/sgemm.h"
#include "ops/aligned_buffer.h"
#include "ops/conv_phases.h"
#include "ops/float_epilogue.h"
#include "ops/op_support.h"

namespace octavo {
namespace {

using ops::ConvGeometry;
using ops::ConvPhase;

constexpr int64_t kFewChannels = 8;                // below it, gathered rows beat pointers per tap
constexpr int64_t kMaxTaps = 1 << 20;
constexpr int64_t kTaskFlops = 4 << 20;
constexpr int64_t kPanelBytes = 256 * 1024;        // of packed weights that a task walks over and over: half of a small L2

bool is_depthwise(const ConvGeometry& g) { return g.group_channels() == 1 && g.group_filters() == 1 && g.groups > 1; }

// Filters of a group, rounded up to whole tiles.
int64_t padded_filters(const ConvGeometry& g, int64_t nr) { return (g.group_filters() + nr - 1) / nr * nr; }

int64_t packed_size(const ConvGeometry& g, int64_t nr) {
  return is_depthwise(g) ? g.taps() * g.filters : g.taps() * g.group_channels() * padded_filters(g, nr) * g.groups;
}

// Packed: depthwise [tap][channel]; else per phase and group [block of nr filters][tap][channel][nr].
void pack(const ConvGeometry& g, const std::vector<ConvPhase>& phases, int64_t nr, const float* w, float* packed) {
  const int64_t cg = g.group_channels(), mg = g.group_filters(), kernel_taps = g.taps(), padded = padded_filters(g, nr);
  for (const ConvPhase& phase : phases) {
    const int64_t taps = static_cast<int64_t>(phase.taps.size());
    for (int64_t t = 0; t < taps; ++t) {
      const int64_t tap = phase.taps[static_cast<size_t>(t)].kernel;
      if (is_depthwise(g)) {
        for (int64_t m = 0; m < g.filters; ++m) packed[(phase.tap_base + t) * g.filters + m] = w[m * kernel_taps + tap];
        continue;
      }
      for (int64_t group = 0; group < g.groups; ++group) {
        float* to = packed + phase.tap_base * cg * padded * g.groups + group * taps * cg * padded;
        for (int64_t m = 0; m < padded; ++m) {
          for (int64_t k = 0; k < cg; ++k) {
            const int64_t from = g.transposed ? ((group * cg + k) * mg + m) * kernel_taps + tap : ((group * mg + m) * cg + k) * kernel_taps + tap;
            to[((m / nr * taps + t) * cg + k) * nr + m % nr] = m < mg ? w[from] : 0.0f;
          }
        }
      }
    }
  }
}

struct Attributes {
  int64_t group = 1;
  bool transposed = false;
  ops::FloatEpilogue epilogue;
  // Constant weights: those of a Conv packed, once for all bindings; those of a ConvTranspose as they are, because pads decide its phases.
  AlignedBuffer packed, weights;

  Status load(const LoadContext& c) {
    OCTAVO_RETURN_IF_ERROR(ops::expect_arity(c, 2, 4, 1));
    transposed = c.op() == "ConvTranspose";
    group = c.integer("group", 1);
    OCTAVO_RETURN_IF_ERROR(epilogue.load(c));
    const TensorSpec& w = *c.input(1);
    if (!w.constant || w.dtype != DType::kFloat32) return Status::Ok();
    if (!weights.allocate(w.byte_length)) return c.error(Code::kOutOfMemory, "no memory for the weights");
    if (w.byte_length != 0) std::memcpy(weights.data(), w.data, w.byte_length);
    const Shape& shape = w.shape;
    if (transposed || shape.rank < 3 || shape.rank > 2 + ops::kMaxSpatial || group < 1 || shape[0] % group != 0 || w.byte_length == 0) return Status::Ok();
    ConvGeometry g;  // of one pixel
    g.groups = group;
    g.filters = shape[0];
    if (shape[1] > INT64_MAX / group) return c.error(Code::kShape, "weights " + ops::dims_text(shape) + " in " + std::to_string(group) + " groups");
    g.channels = shape[1] * group;
    for (int i = 2; i < shape.rank; ++i) g.kernel[ops::kMaxSpatial - shape.rank + i] = shape[i];
    const int64_t nr = static_cast<int64_t>(sgemm_kernel().nr), floats = packed_size(g, nr);
    if (g.taps() > kMaxTaps || floats > static_cast<int64_t>(PTRDIFF_MAX / sizeof(float)) || !packed.allocate(static_cast<size_t>(floats) * sizeof(float)))
      return c.error(Code::kOutOfMemory, "no memory for packed weights");
    pack(g, ops::conv_phases(g), nr, weights.as<float>(), packed.as<float>());
    weights = AlignedBuffer();
    return Status::Ok();
  }
  std::string kernel() const { return sgemm_kernel().name; }
};

class Conv final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    for (int i = 0; i < 4; ++i)
      if (c.has_input(i) && c.in_type(i) != DType::kFloat32)
        return c.error(Code::kUnsupported, std::string("expected float32, got ") + dtype_name(c.in_type(i)));
    if (c.out_type(0) != DType::kFloat32) return c.error(Code::kUnsupported, std::string("expected float32, got ") + dtype_name(c.out_type(0)));
    OCTAVO_RETURN_IF_ERROR(g_.read(c, c.in(0), c.in(1), c.out(0), a.group, a.transposed));
    if (c.has_input(2) && c.in(2).elements() != g_.filters)
      return c.error(Code::kShape, "expected a bias of " + std::to_string(g_.filters) + ", got " + ops::dims_text(c.in(2)));
    if (c.has_input(3)) OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "residual", c.out(0), c.in(3)));
    epilogue_ = a.epilogue;
    if (g_.taps() > kMaxTaps) return c.error(Code::kLimit, std::to_string(g_.taps()) + " taps");
    phases_ = ops::conv_phases(g_);
    depthwise_ = is_depthwise(g_);
    gather_ = !depthwise_ && g_.group_channels() < kFewChannels && g_.taps() > 1;
    if (!zeros_.allocate(static_cast<size_t>(g_.channels) * sizeof(float))) return c.error(Code::kOutOfMemory, "no memory for padding");

    const int64_t nr = static_cast<int64_t>(kernel_.nr);
    padded_ = padded_filters(g_, nr);
    packed_floats_ = packed_size(g_, nr);
    if (packed_floats_ > static_cast<int64_t>(PTRDIFF_MAX / sizeof(float)))
      return c.error(Code::kLimit, "weights of " + std::to_string(packed_floats_) + " elements");
    const size_t packed_bytes = static_cast<size_t>(packed_floats_) * sizeof(float);
    constant_ = a.packed.as<float>();
    if (constant_ == nullptr && a.weights.data() != nullptr) {
      if (!packed_.allocate(packed_bytes)) return c.error(Code::kOutOfMemory, "no memory for packed weights");
      pack(g_, phases_, nr, a.weights.as<float>(), packed_.as<float>());
      constant_ = packed_.as<float>();
    }

    const size_t most_taps = static_cast<size_t>(g_.taps()), mr = kernel_.mr;
    pointers_ = (most_taps * mr + 3 * mr) * sizeof(void*);
    pointers_ = (pointers_ + 63) / 64 * 64;
    const size_t rows = gather_ ? mr * most_taps * static_cast<size_t>(g_.group_channels()) * sizeof(float) : 0;
    c.scratch(constant_ != nullptr ? 0 : packed_bytes, pointers_ + rows);
    plan_tasks();
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const float* packed = constant_;
    if (packed == nullptr) {
      pack(g_, phases_, static_cast<int64_t>(kernel_.nr), c.in<float>(1), static_cast<float*>(c.shared_scratch()));
      packed = static_cast<float*>(c.shared_scratch());
    }
    c.pool().for_each(tasks_, [&](int64_t task, int thread) { run_task(c, packed, task, static_cast<uint8_t*>(c.thread_scratch(thread))); });
    return Status::Ok();
  }

 private:
  struct Work { int64_t first_task, rows, row_chunks, columns, column_chunks; };

  // Tasks: phase x image x group x chunk of columns x chunk of rows, by the shape alone.
  void plan_tasks() {
    const int64_t mr = static_cast<int64_t>(kernel_.mr), nr = static_cast<int64_t>(kernel_.nr);
    tasks_ = 0;
    for (const ConvPhase& phase : phases_) {
      Work work;
      work.first_task = tasks_;
      const int64_t depth = std::max<int64_t>(1, static_cast<int64_t>(phase.taps.size()) * (depthwise_ ? 1 : g_.group_channels()));
      work.columns = depthwise_ ? g_.filters : std::min(padded_, std::max<int64_t>(1, kPanelBytes / 4 / depth / nr) * nr);
      work.column_chunks = depthwise_ ? 1 : (g_.group_filters() + work.columns - 1) / work.columns;
      const int64_t flops = std::max<int64_t>(1, 2 * depth * work.columns);
      work.rows = std::min(std::max<int64_t>(1, phase.pixels()), std::max<int64_t>(1, kTaskFlops / (depthwise_ ? 8 : 1) / flops / mr) * mr);
      work.row_chunks = (phase.pixels() + work.rows - 1) / work.rows;
      tasks_ += g_.batch * (depthwise_ ? 1 : g_.groups) * work.column_chunks * work.row_chunks;
      work_.push_back(work);
    }
    if (g_.filters == 0) tasks_ = 0;
  }

  // Address of the input a tap reads for grid pixel j, or the zeros.
  const float* source(const float* image, const ConvPhase& phase, const ops::ConvTap& tap, const int64_t* j) const {
    int64_t at = 0;
    for (int i = 0; i < ops::kMaxSpatial; ++i) {
      const int64_t p = j[i] * phase.in_step[i] + tap.offset[i];
      if (p < 0 || p >= g_.in[i]) return zeros_.as<float>();
      at = at * g_.in[i] + p;
    }
    return image + at * g_.channels;
  }

  void run_task(const RunContext& c, const float* packed, int64_t task, uint8_t* scratch) const {
    size_t p = 0;
    while (p + 1 < work_.size() && work_[p + 1].first_task <= task) ++p;
    const ConvPhase& phase = phases_[p];
    const Work& work = work_[p];
    int64_t left = task - work.first_task;
    const int64_t row_chunk = left % work.row_chunks;
    left /= work.row_chunks;
    const int64_t column_chunk = left % work.column_chunks;
    left /= work.column_chunks;
    const int64_t groups = depthwise_ ? 1 : g_.groups, group = left % groups, image = left / groups;
    const float* x = c.in<float>(0) + image * g_.in_pixels() * g_.channels;
    const int64_t y_base = image * g_.out_pixels() * g_.filters;
    const int64_t begin = row_chunk * work.rows, end = std::min(phase.pixels(), begin + work.rows);
    int64_t j[ops::kMaxSpatial] = {begin / (phase.count[1] * phase.count[2]), begin / phase.count[2] % phase.count[1], begin % phase.count[2]};

    const int64_t cg = g_.group_channels(), mg = g_.group_filters(), taps = static_cast<int64_t>(phase.taps.size());
    const float** a = reinterpret_cast<const float**>(scratch);
    const float** residuals = a + static_cast<size_t>(g_.taps()) * kernel_.mr;
    float** rows_out = const_cast<float**>(residuals + kernel_.mr);
    float* gathered = reinterpret_cast<float*>(scratch + pointers_);
    const float* bias = c.in<float>(2);
    const float* residual = c.in<float>(3);
    const float* zeros = zeros_.as<float>();
    const int64_t tile_rows = depthwise_ ? 1 : static_cast<int64_t>(kernel_.mr);

    for (int64_t row = begin; row < end; row += tile_rows) {
      const int64_t rows = std::min(tile_rows, end - row);
      for (int64_t i = 0; i < rows; ++i) {
        int64_t pixel = 0;
        for (int d = 0; d < ops::kMaxSpatial; ++d) pixel = pixel * g_.out[d] + phase.start[d] + j[d] * phase.step[d];
        const int64_t y_at = y_base + pixel * g_.filters + group * mg;
        rows_out[i] = c.out<float>(0) + y_at;
        residuals[i] = residual != nullptr ? residual + y_at : nullptr;
        for (int64_t t = 0; t < taps; ++t) {
          const float* from = source(x, phase, phase.taps[static_cast<size_t>(t)], j);
          if (from != zeros) from += group * cg;
          if (gather_) {
            float* to = gathered + (i * taps + t) * cg;
            for (int64_t k = 0; k < cg; ++k) to[k] = from[k];
          } else {
            a[t * rows + i] = from;
          }
        }
        if (gather_) a[i] = gathered + i * taps * cg;
        for (int d = ops::kMaxSpatial - 1; d >= 0 && ++j[d] == phase.count[d] && d > 0; --d) j[d] = 0;
      }
      if (depthwise_) {
        kernel_.depthwise({static_cast<size_t>(g_.filters), static_cast<size_t>(taps), a, packed + phase.tap_base * g_.filters, bias, residuals[0],
                           epilogue_.lo, epilogue_.hi, rows_out[0]});
        continue;
      }
      const int64_t nr = static_cast<int64_t>(kernel_.nr), first = column_chunk * work.columns, last = std::min(mg, first + work.columns);
      const float* b = packed + phase.tap_base * cg * padded_ * g_.groups + group * taps * cg * padded_ + first * taps * cg;
      SgemmTile tile = {static_cast<size_t>(rows), 0, static_cast<size_t>(gather_ ? 1 : taps), static_cast<size_t>(gather_ ? taps * cg : cg), a, b,
                        kernel_.nr, nullptr, residual != nullptr ? residuals : nullptr, epilogue_.lo, epilogue_.hi, rows_out};
      for (int64_t i = 0; i < rows; ++i) {
        rows_out[i] += first;
        if (residual != nullptr) residuals[i] += first;
      }
      for (int64_t n = first; n < last; n += nr, tile.b += nr * taps * cg) {
        tile.columns = static_cast<size_t>(std::min(nr, last - n));
        tile.bias = bias != nullptr ? bias + group * mg + n : nullptr;
        kernel_.tile(tile);
        for (int64_t i = 0; i < rows; ++i) {
          rows_out[i] += nr;
          if (residual != nullptr) residuals[i] += nr;
        }
      }
    }
  }

  const SgemmKernel& kernel_ = sgemm_kernel();
  ConvGeometry g_;
  ops::FloatEpilogue epilogue_;
  std::vector<ConvPhase> phases_;
  std::vector<Work> work_;
  bool depthwise_ = false, gather_ = false;
  int64_t padded_ = 0, packed_floats_ = 0, tasks_ = 0;
  size_t pointers_ = 0;
  const float* constant_ = nullptr;  // packed weights, of the operator or packed_; nullptr: packed at run
  AlignedBuffer zeros_, packed_;
};

}  // namespace

Status make_conv(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Conv>(c, op); }
Status make_conv_transpose(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Conv>(c, op); }

}  // namespace octavo
