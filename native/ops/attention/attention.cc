// Attention: y = softmax(cap(scale q k') + bias) v, head by head, of keys and values as they lie. A task has up to 32
// queries that share a key head: of few positions those of all its heads, which read the past once; of many, positions
// of one head, which multiply keys that were packed before.
#include <algorithm>

#include "kernels/attention/attention.h"
#include "ops/attention/head_rows.h"
#include "ops/steps.h"
#include "ops/support/scratch_plan.h"

namespace octavo {
namespace {

using step::Attention;

constexpr int64_t kTaskRows = 32;
constexpr int64_t kFewPositions = 8;

struct Attributes {
  int64_t heads = 0, kv_heads = 0, window = 0;
  float scale = 1, softcap = 0;
  bool causal = false;

  Status load(const LoadContext& c) {
    heads = c.integer("heads", 0);
    kv_heads = c.integer("kv_heads", 0);
    window = c.integer("window", 0);
    scale = c.number("scale", 1);
    softcap = c.number("softcap", 0);
    causal = c.integer("causal", 0) != 0;
    if (window < 0) return c.error(Code::kInvalidPlan, "expected a window of 0 or more, got " + std::to_string(window));
    return Status::Ok();
  }
  std::string kernel() const { return attention_kernel().name; }
};

// One query: where it lies, and the keys [lo, hi) that it sees.
struct Query {
  int64_t position, head, lo, hi;
};

class BoundAttention final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = &a;
    OCTAVO_RETURN_IF_ERROR(q_.plan(c, "q", c.in(Attention::kQ), a.heads));
    OCTAVO_RETURN_IF_ERROR(k_.plan(c, "k", c.in(Attention::kK), a.kv_heads));
    OCTAVO_RETURN_IF_ERROR(v_.plan(c, "v", c.in(Attention::kV), a.kv_heads));
    const Shape& out = c.out(0);
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output",
                                             out.rank == 4 ? Shape{4, {q_.batch, q_.heads, q_.rows, v_.size}}
                                                           : Shape{3, {q_.batch, q_.rows, q_.heads * v_.size}},
                                             out));
    OCTAVO_RETURN_IF_ERROR(y_.plan(c, "output", out, q_.heads));
    if (k_.batch != q_.batch || v_.batch != q_.batch || k_.heads != v_.heads || k_.rows != v_.rows ||
        k_.size != q_.size)
      return c.error(Code::kShape, "expected k and v that fit q " + ops::dims_text(c.in(Attention::kQ)) + ", got " +
                                       ops::dims_text(c.in(Attention::kK)) + " and " +
                                       ops::dims_text(c.in(Attention::kV)));
    if (k_.heads < 1 || q_.heads % k_.heads != 0)
      return c.error(Code::kShape, std::to_string(q_.heads) + " heads of q: expected a multiple of " +
                                       std::to_string(k_.heads) + " heads of k");
    group_ = q_.heads / k_.heads;
    int8_ = c.in_type(Attention::kK) == DType::kInt8;
    OCTAVO_RETURN_IF_ERROR(starts_.plan(c, Attention::kStarts, q_.batch));
    OCTAVO_RETURN_IF_ERROR(lengths_.plan(c, Attention::kLengths, q_.batch));
    OCTAVO_RETURN_IF_ERROR(check_extras(c));
    few_ = q_.rows < kFewPositions;
    return plan_scratch(c);
  }

  Status run(RunContext& c) override {
    for (int64_t b = 0; b < q_.batch; ++b) {
      const int64_t start = starts_.of(c, b, k_.rows - q_.rows), length = lengths_.of(c, b, k_.rows);
      if (starts_.present() && (start < -q_.rows || start > k_.rows))
        return c.error(Code::kData, "queries of batch " + std::to_string(b) + " start at key " + std::to_string(start) +
                                        ": expected " + std::to_string(-q_.rows) + " to " + std::to_string(k_.rows));
      if (length < 0 || length > k_.rows)
        return c.error(Code::kData, "batch " + std::to_string(b) + " has " + std::to_string(length) +
                                        " keys: expected 0 to " + std::to_string(k_.rows));
    }
    if (q_.batch * q_.rows * v_.size == 0) return Status::Ok();
    if (!few_)
      c.pool().for_each(q_.batch * k_.heads * blocks_, [&](int64_t task, int) {
        const int64_t first = task % blocks_ * kAttentionKeys, head = task / blocks_;
        loops().pack(rows_of(c, Attention::kK, k_, head / k_.heads, head % k_.heads, first, k_.rows), q_.size,
                     packed_block(c, head, task % blocks_));
      });
    c.pool().for_each(q_.batch * k_.heads * tasks_, [&](int64_t task, int thread) {
      const int64_t head = task / tasks_;
      Query queries[kTaskRows];
      const int64_t count = choose(c, head / k_.heads, head % k_.heads, task % tasks_, queries);
      attend(c, head / k_.heads, head % k_.heads, queries, count, scores_.in(c.thread_scratch(thread)));
    });
    return Status::Ok();
  }

 private:
  Status check_extras(BindContext& c) {
    if (c.has_input(Attention::kBias)) {
      const Shape &bias = c.in(Attention::kBias), full = {4, {q_.batch, q_.heads, q_.rows, k_.rows}};
      int64_t stride = 1;
      for (int axis = 3; axis >= 0; --axis) {
        if (bias[axis] != full[axis] && (axis == 3 || bias[axis] != 1)) return ops::shape_error(c, "bias", full, bias);
        bias_strides_[axis] = bias[axis] == 1 ? 0 : stride;
        stride *= bias[axis];
      }
    }
    if (c.has_input(Attention::kSinks))
      OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "sinks", {1, {q_.heads}}, c.in(Attention::kSinks)));
    for (const int input : {Attention::kKScales, Attention::kVScales}) {
      if (c.has_input(input) != int8_)
        return c.error(Code::kInvalidPlan, "expected scales beside int8 keys and values, and beside no others");
      if (int8_)
        OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "scales", {3, {q_.batch, k_.heads, k_.rows}}, c.in(input)));
    }
    return Status::Ok();
  }

  Status plan_scratch(BindContext& c) {
    blocks_ = (k_.rows + kAttentionKeys - 1) / kAttentionKeys;
    // A tile ends at a whole block, dots write a vector from their last score on.
    stride_ = blocks_ * kAttentionKeys + 16;
    const int64_t rows = few_ ? group_ * q_.rows : q_.rows;
    const int64_t slices = (rows + kTaskRows - 1) / kTaskRows;
    tasks_ = few_ ? slices : group_ * slices;
    ScratchPlan own, shared;
    scores_ = own.add<float>(static_cast<size_t>(std::min(rows, kTaskRows)) * static_cast<size_t>(stride_));
    if (!few_) {
      size_t floats = static_cast<size_t>(q_.batch * k_.heads);
      if (__builtin_mul_overflow(floats, static_cast<size_t>(blocks_), &floats) ||
          __builtin_mul_overflow(floats, static_cast<size_t>(q_.size * kAttentionKeys), &floats))
        return c.error(Code::kLimit, "too many keys");
      packed_ = shared.add<float>(floats);
    }
    if (!own.fits() || !shared.fits()) return c.error(Code::kLimit, "too many keys");
    c.scratch(shared.bytes(), own.bytes());
    return Status::Ok();
  }

  const AttentionLoops& loops() const { return int8_ ? attention_kernel().int8 : attention_kernel().float32; }

  float* packed_block(RunContext& c, int64_t head, int64_t block) const {
    return packed_.in(c.shared_scratch()) + (head * blocks_ + block) * q_.size * kAttentionKeys;
  }

  // Keys or values [from, to), at most a block.
  AttentionKeys rows_of(RunContext& c, int input, const ops::HeadRows& rows, int64_t b, int64_t head, int64_t from,
                        int64_t to) const {
    const int64_t at = rows.at(b, head, from) * (int8_ ? 1 : static_cast<int64_t>(sizeof(float)));
    return {c.in<uint8_t>(input) + at, rows.row_stride, std::min(to - from, kAttentionKeys)};
  }

  // The queries of a task, neighbours next to each other.
  int64_t choose(RunContext& c, int64_t b, int64_t kv, int64_t task, Query* queries) const {
    const int64_t start = starts_.of(c, b, k_.rows - q_.rows), length = lengths_.of(c, b, k_.rows);
    const int64_t rows = few_ ? group_ * q_.rows : q_.rows, slices = few_ ? tasks_ : tasks_ / group_;
    const int64_t first = task % slices * kTaskRows, count = std::min(kTaskRows, rows - first);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = first + i, position = few_ ? row / group_ : row;
      const int64_t member = few_ ? row % group_ : task / slices, own = start + position;
      const int64_t hi = attributes_->causal ? std::min(length, own + 1) : length;
      const int64_t lo = attributes_->window > 0 ? std::max<int64_t>(0, own + 1 - attributes_->window) : 0;
      queries[i] = {position, kv * group_ + member, lo, std::max(hi, lo)};
    }
    return count;
  }

  void attend(RunContext& c, int64_t b, int64_t kv, const Query* queries, int64_t count, float* scores) const {
    const AttentionKernel& kernel = attention_kernel();
    const AttentionLoops& loop = loops();
    const float *q = c.in<float>(Attention::kQ), *bias = c.in<float>(Attention::kBias),
                *sinks = c.in<float>(Attention::kSinks);
    float* y = c.out<float>(0);
    const int64_t groups = (count + kAttentionRows - 1) / kAttentionRows;
    int64_t lo[kTaskRows / kAttentionRows], hi[kTaskRows / kAttentionRows], first = k_.rows, last = 0;
    for (int64_t g = 0; g < groups; ++g) {
      lo[g] = k_.rows, hi[g] = 0;
      for (int64_t i = g * kAttentionRows; i < std::min(count, (g + 1) * kAttentionRows); ++i)
        if (queries[i].lo < queries[i].hi)
          lo[g] = std::min(lo[g], queries[i].lo), hi[g] = std::max(hi[g], queries[i].hi);
      first = std::min(first, lo[g]), last = std::max(last, hi[g]);
    }
    // f(group, its queries, its keys) for the keys of a block that any of the group sees.
    const auto for_blocks = [&](auto f) {
      for (int64_t block = first / kAttentionKeys; block * kAttentionKeys < last; ++block)
        for (int64_t g = 0; g < groups; ++g) {
          const int64_t from = std::max(lo[g], block * kAttentionKeys);
          const int64_t to = std::min(hi[g], (block + 1) * kAttentionKeys);
          if (from < to) f(g, std::min(kAttentionRows, count - g * kAttentionRows), block, from, to);
        }
    };
    for_blocks([&](int64_t g, int64_t rows, int64_t block, int64_t from, int64_t to) {
      const float* at[kAttentionRows];
      float* into[kAttentionRows];
      for (int64_t r = 0; r < rows; ++r) {
        const Query& query = queries[g * kAttentionRows + r];
        at[r] = q + q_.at(b, query.head, query.position);
        into[r] = scores + (g * kAttentionRows + r) * stride_ + (few_ ? from : block * kAttentionKeys);
      }
      const AttentionQueries some = {rows, q_.size, at, into};
      if (few_) loop.dots(some, rows_of(c, Attention::kK, k_, b, kv, from, to));
      else kernel.tile(some, packed_block(c, b * k_.heads + kv, block));
    });
    float sums[kTaskRows];
    const int64_t scales = (b * k_.heads + kv) * k_.rows;
    for (int64_t i = 0; i < count; ++i) {
      const Query& query = queries[i];
      const int64_t g = i / kAttentionRows;
      float* row = scores + i * stride_;
      sums[i] = 0;
      if (query.lo < query.hi) {
        const float* added = bias == nullptr ? nullptr
                                             : bias + b * bias_strides_[0] + query.head * bias_strides_[1] +
                                                   query.position * bias_strides_[2] + query.lo;
        const AttentionSoftmax softmax = {attributes_->scale,
                                          attributes_->softcap,
                                          added,
                                          sinks == nullptr ? nullptr : sinks + query.head,
                                          int8_ ? c.in<float>(Attention::kKScales) + scales + query.lo : nullptr,
                                          int8_ ? c.in<float>(Attention::kVScales) + scales + query.lo : nullptr};
        sums[i] = kernel.softmax(softmax, row + query.lo, query.hi - query.lo);
      }
      // The keys that only others of its group see.
      const int64_t seen = std::max(query.lo, query.hi);
      if (lo[g] < query.lo) std::fill(row + lo[g], row + std::min(query.lo, std::max(lo[g], hi[g])), 0.0f);
      if (seen < hi[g]) std::fill(row + seen, row + hi[g], 0.0f);
    }
    for_blocks([&](int64_t g, int64_t rows, int64_t, int64_t from, int64_t to) {
      const float* weights[kAttentionRows];
      float* into[kAttentionRows];
      for (int64_t r = 0; r < rows; ++r) {
        const Query& query = queries[g * kAttentionRows + r];
        weights[r] = scores + (g * kAttentionRows + r) * stride_ + from;
        into[r] = y + y_.at(b, query.head, query.position);
      }
      loop.mix({rows, v_.size, weights, into, from == lo[g]}, rows_of(c, Attention::kV, v_, b, kv, from, to));
    });
    for (int64_t i = 0; i < count; ++i) {
      float* row = y + y_.at(b, queries[i].head, queries[i].position);
      if (sums[i] == 0) std::fill(row, row + v_.size, 0.0f);
      else kernel.divide(row, v_.size, sums[i]);
    }
  }

  const Attributes* attributes_ = nullptr;
  ops::HeadRows q_, k_, v_, y_;
  ops::BatchNumbers starts_, lengths_;
  int64_t group_ = 1, blocks_ = 0, stride_ = 0, tasks_ = 0, bias_strides_[4] = {};
  bool int8_ = false, few_ = true;
  ScratchArray<float> scores_, packed_;
};

}  // namespace

Status make_attention(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, BoundAttention>(c, op);
}

}  // namespace octavo
