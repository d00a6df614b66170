// Conv and ConvTranspose of float32, channels last, 1 to 3 spatial axes.
//
// Constant weights of a Conv are packed at load, of a ConvTranspose when it is bound; others at every run. A row of a
// tile is an output pixel, with a pointer per tap; where channels are few, the taps side by side in the image are one.
#include <algorithm>

#include "kernels/sgemm/sgemm.h"
#include "ops/support/aligned_buffer.h"
#include "ops/conv/conv_rows.h"
#include "ops/conv/conv_weights.h"
#include "ops/support/float_constant.h"
#include "ops/support/float_epilogue.h"
#include "ops/support/op_support.h"
#include "ops/support/staged_rows.h"

namespace octavo {
namespace {

using ops::ConvGeometry;
using ops::ConvPhase;

constexpr int64_t kFewChannels = 32;  // up to it, strips beat pointers per tap
constexpr int64_t kMaxTaps = 1 << 20;
constexpr int64_t kTaskFlops = 4 << 20;
constexpr int64_t kDepthwiseFlops = kTaskFlops / 8;
constexpr int64_t kPanelBytes = 256 * 1024;  // of packed weights that a task walks over and over: half of a small L2
constexpr int64_t kStagedPanelBytes = 2 * kPanelBytes;  // the more filters share a copy of rows, the less it costs

struct Attributes {
  int64_t group = 1;
  bool transposed = false;
  ops::FloatEpilogue epilogue;
  // Constant weights: those of a Conv packed, once for all bindings; those of a ConvTranspose as they are, because pads
  // decide its phases.
  AlignedBuffer packed, weights;

  Status load(const LoadContext& c) {
    transposed = c.op() == "ConvTranspose";
    group = c.integer("group", 1);
    OCTAVO_RETURN_IF_ERROR(epilogue.load(c));
    const TensorSpec& w = *c.input(1);
    if (!w.constant || w.dtype != DType::kFloat32) return Status::Ok();
    const Shape& shape = w.shape;
    if (transposed || shape.rank < 3 || shape.rank > 2 + ops::kMaxSpatial || group < 1 || shape[0] % group != 0 ||
        w.byte_length == 0) {
      if (!weights.allocate_in(c.store(), w.byte_length))
        return c.error(Code::kOutOfMemory, "no memory for the weights");
      if (w.byte_length != 0) std::memcpy(weights.data(), w.data, w.byte_length);
      return Status::Ok();
    }
    FloatConstant source;
    if (!source.open(w.data, w.byte_length)) return c.error(Code::kOutOfMemory, "no memory for the weights");
    ConvGeometry g;  // of one pixel
    g.groups = group;
    g.filters = shape[0];
    if (shape[1] > INT64_MAX / group)
      return c.error(Code::kShape, "weights " + ops::dims_text(shape) + " in " + std::to_string(group) + " groups");
    g.channels = shape[1] * group;
    for (int i = 2; i < shape.rank; ++i) g.kernel[ops::kMaxSpatial - shape.rank + i] = shape[i];
    const int64_t nr = static_cast<int64_t>(sgemm_kernel().nr), floats = ops::packed_size(g, nr);
    if (g.taps() > kMaxTaps || floats > static_cast<int64_t>(PTRDIFF_MAX / sizeof(float)) ||
        !packed.allocate_in(c.store(), static_cast<size_t>(floats) * sizeof(float)))
      return c.error(Code::kOutOfMemory, "no memory for packed weights");
    const std::vector<ops::ConvPhase> phases = ops::conv_phases(g);
    c.pool().for_each(ops::packing_tasks(g, phases, nr), [&](int64_t task, int) {
      ops::pack_weights(g, phases, nr, source.data(), task, packed.as<float>());
    });
    return Status::Ok();
  }
  std::string kernel() const { return sgemm_kernel().name; }
  bool reads_constant(int input) const { return input != 1 || (packed.data() == nullptr && weights.data() == nullptr); }
  size_t packed_bytes() const { return packed.bytes() + weights.bytes(); }
};

class Conv final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    for (int i = 0; i < 4; ++i)
      if (c.has_input(i) && c.in_type(i) != DType::kFloat32)
        return c.error(Code::kUnsupported, std::string("expected float32, got ") + dtype_name(c.in_type(i)));
    if (c.out_type(0) != DType::kFloat32)
      return c.error(Code::kUnsupported, std::string("expected float32, got ") + dtype_name(c.out_type(0)));
    OCTAVO_RETURN_IF_ERROR(g_.read(c, c.in(0), c.in(1), c.out(0), a.group, a.transposed));
    if (c.has_input(2) && c.in(2).elements() != g_.filters)
      return c.error(Code::kShape,
                     "expected a bias of " + std::to_string(g_.filters) + ", got " + ops::dims_text(c.in(2)));
    if (c.has_input(3)) OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "residual", c.out(0), c.in(3)));
    epilogue_ = a.epilogue;
    if (g_.taps() > kMaxTaps) return c.error(Code::kLimit, std::to_string(g_.taps()) + " taps");
    phases_ = ops::conv_phases(g_);
    depthwise_ = ops::is_depthwise(g_);
    strips_ =
        !g_.transposed && g_.groups == 1 && g_.channels <= kFewChannels && g_.kernel[2] > 1 && g_.dilation[2] == 1;
    const int64_t nr = static_cast<int64_t>(kernel_.nr);
    padded_ = ops::padded_filters(g_, nr);
    const int64_t packed_floats = ops::packed_size(g_, nr), zeros = strips_ ? g_.kernel[2] * g_.channels : g_.channels;
    if (packed_floats > static_cast<int64_t>(PTRDIFF_MAX / sizeof(float)) - 64)
      return c.error(Code::kLimit, "weights of " + std::to_string(packed_floats) + " elements");
    if (!zeros_.allocate(static_cast<size_t>(zeros) * sizeof(float)))
      return c.error(Code::kOutOfMemory, "no memory for padding");
    const size_t packed_bytes = static_cast<size_t>(packed_floats) * sizeof(float) + kReadSlack;
    constant_ = a.packed.as<float>();
    if (constant_ == nullptr && a.weights.data() != nullptr) {
      if (!packed_.allocate_unset(packed_bytes)) return c.error(Code::kOutOfMemory, "no memory for packed weights");
      for (int64_t task = 0; task < ops::packing_tasks(g_, phases_, nr); ++task)
        ops::pack_weights(g_, phases_, nr, a.weights.as<float>(), task, packed_.as<float>());
      constant_ = packed_.as<float>();
    }

    const size_t taps = static_cast<size_t>(g_.taps()), mr = kernel_.mr;
    pointers_ = ((depthwise_ ? 3 * taps : (taps + 2) * mr) * sizeof(void*) + 63) / 64 * 64;
    staged_ = !depthwise_ && !strips_ && !phases_.empty() &&
              ops::rows_collide(kernel_, phases_[0].in_step[2] * g_.channels, g_.group_channels());
    const size_t floats =
        strips_   ? mr * taps * static_cast<size_t>(g_.channels)
        : staged_ ? static_cast<size_t>(ops::staged_floats(static_cast<int64_t>(mr * taps), g_.group_channels()))
                  : 0;
    c.scratch(constant_ != nullptr ? 0 : packed_bytes, pointers_ + floats * sizeof(float));
    plan_tasks();
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    const float* packed = constant_;
    if (packed == nullptr) {
      float* const scratch = static_cast<float*>(c.shared_scratch());
      const int64_t nr = static_cast<int64_t>(kernel_.nr);
      c.pool().for_each(ops::packing_tasks(g_, phases_, nr),
                        [&](int64_t task, int) { ops::pack_weights(g_, phases_, nr, c.in<float>(1), task, scratch); });
      packed = scratch;
    }
    c.pool().for_each(tasks_, [&](int64_t task, int thread) {
      run_task(c, packed, task, static_cast<uint8_t*>(c.thread_scratch(thread)));
    });
    return Status::Ok();
  }

 private:
  struct Work {
    int64_t first_task, rows, row_chunks, columns, column_chunks;
    ops::ConvInterior interior;
  };
  // What a task computes: pixels [begin, end) of a phase of an image, filters [first, last) of a group.
  struct Part {
    const ConvPhase& phase;
    const ops::ConvInterior& interior;
    int64_t image, group, first, last, begin, end;
  };

  // Tasks: phase x image x group x chunk of columns x chunk of rows, by the shape alone.
  void plan_tasks() {
    const int64_t mr = depthwise_ ? 1 : static_cast<int64_t>(kernel_.mr), nr = static_cast<int64_t>(kernel_.nr);
    tasks_ = 0;
    for (const ConvPhase& phase : phases_) {
      Work work;
      work.first_task = tasks_;
      const int64_t depth =
          std::max<int64_t>(1, static_cast<int64_t>(phase.taps.size()) * (depthwise_ ? 1 : g_.group_channels()));
      const int64_t panels = (staged_ ? kStagedPanelBytes : kPanelBytes) / 4 / depth / nr;
      work.columns = depthwise_ ? g_.filters : std::min(padded_, std::max<int64_t>(1, panels) * nr);
      work.column_chunks = depthwise_ ? 1 : (g_.group_filters() + work.columns - 1) / work.columns;
      const int64_t flops = std::max<int64_t>(1, 2 * depth * work.columns);
      work.rows = std::min(std::max<int64_t>(1, phase.pixels()),
                           std::max<int64_t>(1, (depthwise_ ? kDepthwiseFlops : kTaskFlops) / flops / mr) * mr);
      work.row_chunks = (phase.pixels() + work.rows - 1) / work.rows;
      work.interior = ops::conv_interior(g_, phase);
      tasks_ += g_.batch * (depthwise_ ? 1 : g_.groups) * work.column_chunks * work.row_chunks;
      work_.push_back(work);
    }
    if (g_.filters == 0) tasks_ = 0;
  }

  void run_task(const RunContext& c, const float* packed, int64_t task, uint8_t* scratch) const {
    size_t p = 0;
    while (p + 1 < work_.size() && work_[p + 1].first_task <= task) ++p;
    const Work& work = work_[p];
    int64_t left = task - work.first_task;
    const int64_t begin = left % work.row_chunks * work.rows;
    left /= work.row_chunks;
    const int64_t first = left % work.column_chunks * work.columns;
    left /= work.column_chunks;
    const int64_t groups = depthwise_ ? 1 : g_.groups;
    const Part part = {phases_[p],    work.interior,
                       left / groups, left % groups,
                       first,         std::min(g_.group_filters(), first + work.columns),
                       begin,         std::min(phases_[p].pixels(), begin + work.rows)};
    if (depthwise_) depthwise(c, packed, part, reinterpret_cast<const float**>(scratch));
    else multiply(c, packed, part, scratch);
  }

  // Element of the output at which pixel j of a phase begins.
  int64_t output(const Part& part, const int64_t* j) const {
    int64_t pixel = part.image;
    for (int d = 0; d < ops::kMaxSpatial; ++d)
      pixel = pixel * g_.out[d] + part.phase.start[d] + j[d] * part.phase.step[d];
    return pixel * g_.filters;
  }
  const float* image(const RunContext& c, const Part& part) const {
    return c.in<float>(0) + part.image * g_.in_pixels() * g_.channels;
  }

  void multiply(const RunContext& c, const float* packed, const Part& part, uint8_t* scratch) const {
    const ConvPhase& phase = part.phase;
    const int64_t cg = g_.group_channels(), mg = g_.group_filters(), taps = static_cast<int64_t>(phase.taps.size());
    const int64_t mr = static_cast<int64_t>(kernel_.mr), nr = static_cast<int64_t>(kernel_.nr);
    const float* x = image(c, part) + part.group * cg;
    const float* b = packed + phase.tap_base * cg * padded_ * g_.groups + part.group * taps * cg * padded_;
    const float *bias = c.in<float>(2), *residual = c.in<float>(3);
    float* const out = c.out<float>(0);
    const float** a = reinterpret_cast<const float**>(scratch);
    const float** residuals = a + g_.taps() * mr;
    float** rows_out = const_cast<float**>(residuals + mr);
    float* copies = reinterpret_cast<float*>(scratch + pointers_);
    const int64_t strip = strips_ ? g_.kernel[2] : 1;

    const int64_t all = part.end - part.begin, tiles = (all + mr - 1) / mr, height = (all + tiles - 1) / tiles;
    for (int64_t row = part.begin; row < part.end; row += height) {
      const int64_t rows = std::min(height, part.end - row);
      if (strips_) ops::point_strips(g_, phase, x, zeros_.as<float>(), row, rows, a, copies);
      else ops::point_taps(g_, phase, x, zeros_.as<float>(), row, rows, a);
      if (staged_) ops::stage_rows(a, taps * rows, cg, copies);
      ops::for_each_run(phase, row, rows, [&](int64_t at, int64_t n, const int64_t* j) {
        int64_t y = output(part, j) + part.group * mg;
        for (int64_t i = at; i < at + n; ++i, y += phase.step[2] * g_.filters) {
          rows_out[i] = out + y;
          if (residual != nullptr) residuals[i] = residual + y;
        }
      });
      for (int64_t n = part.first; n < part.last; n += nr) {
        kernel_.tile({static_cast<size_t>(rows), static_cast<size_t>(std::min(nr, part.last - n)),
                      static_cast<size_t>(taps / strip), static_cast<size_t>(strip * cg), a, b + n * taps * cg,
                      kernel_.nr, bias != nullptr ? bias + part.group * mg + n : nullptr,
                      residual != nullptr ? residuals : nullptr, epilogue_.lo, epilogue_.hi, rows_out,
                      static_cast<size_t>(n)});
      }
    }
  }

  // Strips of pixels inside the image have all taps; at its edges a pixel at a time has those that it has.
  void depthwise(const RunContext& c, const float* packed, const Part& part, const float** taps) const {
    constexpr int kInner = ops::kMaxSpatial - 1;
    const ConvPhase& phase = part.phase;
    const float *x = image(c, part), *bias = c.in<float>(2), *residual = c.in<float>(3),
                *weights = packed + phase.tap_base * g_.filters;
    float* const out = c.out<float>(0);
    const float **w = taps + g_.taps(), **lines = w + g_.taps();
    const int64_t step = phase.in_step[kInner];
    ops::for_each_run(phase, part.begin, part.end - part.begin, [&](int64_t, int64_t count, const int64_t* j) {
      const int64_t end = j[kInner] + count;
      for (size_t t = 0; t < phase.taps.size(); ++t) lines[t] = ops::tap_row(g_, phase, phase.taps[t], j, x);
      int64_t y = output(part, j);
      for (int64_t at = j[kInner], n; at < end; at += n, y += n * phase.step[kInner] * g_.filters) {
        n = at >= part.interior.begin && at < part.interior.end ? std::min(end, part.interior.end) - at : 1;
        size_t inside = 0;
        for (size_t t = 0; t < phase.taps.size(); ++t) {
          const int64_t p = at * step + phase.taps[t].offset[kInner];
          if (lines[t] == nullptr || p < 0 || p >= g_.in[kInner]) continue;
          taps[inside] = lines[t] + p * g_.channels;
          w[inside++] = weights + static_cast<int64_t>(t) * g_.filters;
        }
        kernel_.depthwise({static_cast<size_t>(g_.filters), static_cast<size_t>(n), inside, taps, w,
                           static_cast<size_t>(step * g_.channels), bias, residual != nullptr ? residual + y : nullptr,
                           epilogue_.lo, epilogue_.hi, out + y, static_cast<size_t>(phase.step[kInner] * g_.filters)});
      }
    });
  }

  const SgemmKernel& kernel_ = sgemm_kernel();
  ConvGeometry g_;
  ops::FloatEpilogue epilogue_;
  std::vector<ConvPhase> phases_;
  std::vector<Work> work_;
  bool depthwise_ = false, strips_ = false, staged_ = false;
  int64_t padded_ = 0, tasks_ = 0;
  size_t pointers_ = 0;
  const float* constant_ = nullptr;  // packed weights, of the operator or packed_; nullptr: packed at run
  AlignedBuffer zeros_, packed_;
};

}  // namespace

Status make_conv(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Conv>(c, op); }
Status make_conv_transpose(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, Conv>(c, op);
}

}  // namespace octavo
