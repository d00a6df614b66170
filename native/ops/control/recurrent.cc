// Recurrent and QRecurrent: LSTM, GRU and RNN of ONNX (layout 0), float32, after the product of their input.
//
//   x [T, B, D*G*H], r [D, G*H, H], b [D, 2*G*H], lengths [B] int32, h0 and c0 [D, B, H], p [D, 3*H]
//   y [T, D, B, H], h and c [D, B, H]; D directions, G gates: LSTM iofc, GRU zrh, RNN one.
//
// x is the input's part of all gates of all steps, which is one product. QRecurrent: r is int8, a scale for each row.
#include <algorithm>

#include "ops/control/recurrent_cell.h"
#include "ops/control/recurrent_weights.h"
#include "ops/steps.h"
#include "ops/support/op_support.h"

namespace octavo {
namespace {

enum class Cell { kLstm, kGru, kRnn };
using step::Recurrent;

// Inputs after r are two further in a QRecurrent, whose r has a scale and a zero point.
constexpr int kParameters = static_cast<int>(step::QRecurrent::kB) - static_cast<int>(Recurrent::kB);

struct Attributes {
  Cell cell = Cell::kLstm;
  int gates = 4, directions = 1;
  int shift = 0;  // of the inputs after r
  bool reverse_first = false, linear_before_reset = false, input_forget = false;
  float clip = 0.0f;                      // 0: none
  bool gives[3] = {};                     // y, h, c
  ops::CellActivation activations[2][3];  // f, g, h of each direction
  ops::RecurrentWeights weights;

  Status load(const LoadContext& c) {
    const std::string kind = c.text("cell", "lstm"), direction = c.text("direction", "forward");
    if (kind == "lstm") {
      cell = Cell::kLstm;
      gates = 4;
    } else if (kind == "gru") {
      cell = Cell::kGru;
      gates = 3;
    } else if (kind == "rnn") {
      cell = Cell::kRnn;
      gates = 1;
    } else return c.error(Code::kUnsupported, "expected cell lstm, gru or rnn, got " + kind);
    if (direction == "bidirectional") directions = 2;
    else if (direction == "reverse") reverse_first = true;
    else if (direction != "forward")
      return c.error(Code::kUnsupported, "expected direction forward, reverse or bidirectional, got " + direction);
    linear_before_reset = c.integer("linear_before_reset", 0) != 0;
    input_forget = c.integer("input_forget", 0) != 0;
    clip = c.number("clip", 0.0f);
    for (int i = 0; i < c.outputs(); ++i) gives[i] = !c.output(i).name.empty();
    const size_t count = cell == Cell::kLstm ? 3 : cell == Cell::kGru ? 2 : 1;
    std::vector<std::string> names = c.texts("activations");
    if (names.empty()) {
      for (int d = 0; d < directions; ++d) {
        if (cell != Cell::kRnn) names.push_back("Sigmoid");
        names.push_back("Tanh");
        if (cell == Cell::kLstm) names.push_back("Tanh");
      }
    }
    if (names.size() != count * static_cast<size_t>(directions))
      return c.error(Code::kInvalidPlan, "expected " + std::to_string(count * directions) + " activations, got " +
                                             std::to_string(names.size()));
    const std::vector<float> alpha = c.numbers("activation_alpha"), beta = c.numbers("activation_beta");
    size_t used_alpha = 0, used_beta = 0;
    for (size_t i = 0; i < names.size(); ++i)
      if (!ops::parse_cell_activation(names[i], alpha, beta, &used_alpha, &used_beta,
                                      &activations[i / count][i % count]))
        return c.error(Code::kUnsupported, "activation " + names[i]);
    const bool integer = c.op() == "QRecurrent";
    shift = integer ? kParameters : 0;
    return weights.load(c, Recurrent::kR, integer, gates, directions, resets_first());
  }
  // A GRU that resets its state before the product of the new gate: that gate's product comes later.
  bool resets_first() const { return cell == Cell::kGru && !linear_before_reset; }
  bool reads_constant(int input) const { return input != Recurrent::kR || !weights.is_packed(); }
  size_t packed_bytes() const { return weights.bytes(); }
  std::string kernel() const { return shift != 0 ? hybrid_kernel().name : ""; }
};

class BoundRecurrent final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    a_ = &a;
    const Shape &x = c.in(Recurrent::kX), &r = c.in(Recurrent::kR);
    if (x.rank != 3 || r.rank != 3)
      return c.error(Code::kShape, "x " + ops::dims_text(x) + " and r " + ops::dims_text(r) + ": expected rank 3");
    times_ = x[0];
    batch_ = x[1];
    hidden_ = r[2];
    const int64_t d = a.directions, g = a.gates;
    if (!layout_.plan(a.shift != 0, g, hidden_, a.resets_first()))
      return c.error(Code::kLimit, "the weights are too big");
    rows_ = layout_.rows;
    const Shape state = {3, {d, batch_, hidden_}};
    const auto expect = [&](int input, const char* name, const Shape& expected) {
      return c.has_input(input) ? ops::expect_shape(c, name, expected, c.in(input)) : Status::Ok();
    };
    OCTAVO_RETURN_IF_ERROR(expect(Recurrent::kX, "x", {3, {times_, batch_, d * rows_}}));
    OCTAVO_RETURN_IF_ERROR(expect(Recurrent::kR, "r", {3, {d, rows_, hidden_}}));
    OCTAVO_RETURN_IF_ERROR(expect(at(Recurrent::kB), "b", {2, {d, 2 * rows_}}));
    OCTAVO_RETURN_IF_ERROR(expect(at(Recurrent::kLengths), "lengths", {1, {batch_}}));
    OCTAVO_RETURN_IF_ERROR(expect(at(Recurrent::kH0), "h0", state));
    OCTAVO_RETURN_IF_ERROR(expect(at(Recurrent::kC0), "c0", state));
    OCTAVO_RETURN_IF_ERROR(expect(at(Recurrent::kP), "p", {2, {d, 3 * hidden_}}));

    const Shape outputs[] = {{4, {times_, d, batch_, hidden_}}, state, state};
    static const char* const kOutputs[] = {"y", "h", "c"};
    for (int i = 0; i < 3; ++i) {
      if (!a.gives[i]) continue;
      OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, kOutputs[i], outputs[i], c.out(i)));
    }

    // Shared scratch, in floats: packed r where it is not constant, then, of one direction at a time, biases and state.
    int64_t elements;
    if (__builtin_mul_overflow(batch_, rows_ + 64, &elements) || elements > PTRDIFF_MAX / 64)
      return c.error(Code::kLimit, "a batch too big for its gates");
    size_t end = 0;
    const auto take = [&](size_t floats) {
      const size_t here = end;
      end += (floats + 31) / 16 * 16;
      return here;
    };
    const size_t states = static_cast<size_t>(batch_ * hidden_);
    r_ = take(a.weights.is_packed() ? 0 : layout_.bytes / sizeof(float));
    bias_ = take(static_cast<size_t>(rows_) + kHybridColumns);
    fresh_bias_ = take(static_cast<size_t>(hidden_));
    recurrent_ = take(static_cast<size_t>(batch_ * rows_));
    h_ = take(states);
    c_ = take(states);
    reset_ = take(states);
    row_ = take(static_cast<size_t>(hidden_));
    c.scratch(end * sizeof(float), 0);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    if (const int32_t* lengths = c.in<int32_t>(at(Recurrent::kLengths)))
      for (int64_t b = 0; b < batch_; ++b)
        if (lengths[b] < 0 || lengths[b] > times_)
          return c.error(Code::kData, "length " + std::to_string(lengths[b]) + " of batch entry " + std::to_string(b) +
                                          " is outside of [0, " + std::to_string(times_) + "]");
    for (int d = 0; d < a_->directions; ++d) direction(c, d);
    return Status::Ok();
  }

 private:
  void direction(RunContext& c, int d) const {
    float* s = static_cast<float*>(c.shared_scratch());
    const int64_t n = rows_, state = batch_ * hidden_;
    const uint8_t* weights = reinterpret_cast<const uint8_t*>(s + r_);
    if (a_->weights.is_packed()) weights = a_->weights.of(d);
    else layout_.pack(c.in<float>(Recurrent::kR) + d * n * hidden_, nullptr, true, reinterpret_cast<uint8_t*>(s + r_));
    // Both biases go to the recurrent part, but that of the input in the new gate of a GRU which resets after its
    // product.
    const float* b = c.in<float>(at(Recurrent::kB));
    const bool apart = a_->cell == Cell::kGru && a_->linear_before_reset;
    for (int64_t j = 0; j < n; ++j) {
      const float wb = b != nullptr ? b[d * 2 * n + j] : 0.0f, rb = b != nullptr ? b[d * 2 * n + n + j] : 0.0f;
      const bool keep = apart && j >= 2 * hidden_;
      s[bias_ + j] = keep ? rb : wb + rb;
      if (keep) s[fresh_bias_ + j - 2 * hidden_] = wb;
    }
    std::fill(s + bias_ + n, s + bias_ + n + kHybridColumns, 0.0f);
    const auto initial = [&](int input, float* to) {
      const float* from = c.in<float>(input);
      for (int64_t i = 0; i < state; ++i) to[i] = from != nullptr ? from[d * state + i] : 0.0f;
    };
    initial(at(Recurrent::kH0), s + h_);
    if (a_->cell == Cell::kLstm) initial(at(Recurrent::kC0), s + c_);

    const int32_t* lengths = c.in<int32_t>(at(Recurrent::kLengths));
    const bool backward = a_->reverse_first || d == 1;
    float* y = a_->gives[0] ? c.out<float>(0) : nullptr;
    for (int64_t step = 0; step < times_; ++step) {
      if (c.cancelled().load(std::memory_order_relaxed)) return;
      const int64_t t = backward ? times_ - 1 - step : step;
      layout_.multiply(c.pool(), layout_.parts[0], weights, s + h_, batch_, s + bias_, s + recurrent_);
      if (a_->resets_first()) reset_first(c, d, t, s, weights);
      for (int64_t e = 0; e < batch_; ++e) {
        float* out = y != nullptr ? y + ((t * a_->directions + d) * batch_ + e) * hidden_ : nullptr;
        // Past its length an entry keeps its state; running backwards, it starts where its sequence ends.
        if (lengths != nullptr && t >= lengths[e]) {
          if (out != nullptr) std::fill(out, out + hidden_, 0.0f);
          continue;
        }
        cell(c, d, input_part(c, d, t, e), s + recurrent_ + e * n, s, e);
        if (out != nullptr) std::copy(s + h_ + e * hidden_, s + h_ + (e + 1) * hidden_, out);
      }
    }
    if (a_->gives[1]) std::copy(s + h_, s + h_ + state, c.out<float>(1) + d * state);
    if (a_->gives[2]) std::copy(s + c_, s + c_ + state, c.out<float>(2) + d * state);
  }

  void clip(float* x, int64_t count) const {
    if (a_->clip <= 0.0f) return;
    for (int64_t i = 0; i < count; ++i) x[i] = std::min(a_->clip, std::max(-a_->clip, x[i]));
  }

  int at(Recurrent::Input input) const { return static_cast<int>(input) + a_->shift; }
  const float* input_part(RunContext& c, int d, int64_t t, int64_t e) const {
    return c.in<float>(Recurrent::kX) + ((t * batch_ + e) * a_->directions + d) * rows_;
  }

  // GRU whose reset gate acts on h before the product: the recurrent part of the new gate becomes (r * h) R_h^T.
  void reset_first(RunContext& c, int d, int64_t t, float* s, const uint8_t* weights) const {
    const ops::CellActivation& f = a_->activations[d][0];
    for (int64_t e = 0; e < batch_; ++e) {
      const float *input = input_part(c, d, t, e) + hidden_, *recurrent = s + recurrent_ + e * rows_ + hidden_;
      float* reset = s + reset_ + e * hidden_;
      for (int64_t j = 0; j < hidden_; ++j) reset[j] = input[j] + recurrent[j];
      clip(reset, hidden_);
      f(reset, reset, hidden_);
      for (int64_t j = 0; j < hidden_; ++j) reset[j] *= s[h_ + e * hidden_ + j];
    }
    layout_.multiply(c.pool(), layout_.parts[1], weights, s + reset_, batch_, s + bias_ + 2 * hidden_,
                     s + recurrent_ + 2 * hidden_);
  }

  // One step of batch entry e. input: its part of the gates; gates: the recurrent part, h R^T and the biases,
  // overwritten.
  void cell(RunContext& c, int d, const float* input, float* gates, float* s, int64_t e) const {
    const int64_t H = hidden_;
    const ops::CellActivation* f = a_->activations[d];
    float *h = s + h_ + e * H, *cs = s + c_ + e * H, *row = s + row_;
    const float* peepholes = c.in<float>(at(Recurrent::kP));
    const float* p = peepholes != nullptr ? peepholes + d * 3 * H : nullptr;
    if (a_->cell == Cell::kRnn) {
      for (int64_t j = 0; j < H; ++j) gates[j] += input[j];
      clip(gates, H);
      f[0](gates, h, H);
      return;
    }
    if (a_->cell == Cell::kGru) {
      float *z = gates, *r = gates + H, *fresh = gates + 2 * H;
      for (int64_t j = 0; j < 2 * H; ++j) gates[j] += input[j];
      clip(gates, 2 * H);
      f[0](gates, gates, 2 * H);
      const float *part = input + 2 * H, *bias = s + fresh_bias_;
      if (a_->linear_before_reset)
        for (int64_t j = 0; j < H; ++j) fresh[j] = part[j] + bias[j] + r[j] * fresh[j];
      else
        for (int64_t j = 0; j < H; ++j) fresh[j] += part[j];
      clip(fresh, H);
      f[1](fresh, fresh, H);
      for (int64_t j = 0; j < H; ++j) h[j] = (1.0f - z[j]) * fresh[j] + z[j] * h[j];
      return;
    }
    float *i = gates, *o = gates + H, *forget = gates + 2 * H, *candidate = gates + 3 * H;
    for (int64_t j = 0; j < 4 * H; ++j) gates[j] += input[j];
    if (p != nullptr)
      for (int64_t j = 0; j < H; ++j) {
        i[j] += p[j] * cs[j];
        forget[j] += p[2 * H + j] * cs[j];
      }
    clip(i, H);
    clip(forget, H);
    clip(candidate, H);
    const auto apply = [&](const ops::CellActivation& function, float* x) { function(x, x, H); };
    apply(f[0], i);
    if (a_->input_forget)
      for (int64_t j = 0; j < H; ++j) forget[j] = 1.0f - i[j];
    else apply(f[0], forget);
    apply(f[1], candidate);
    for (int64_t j = 0; j < H; ++j) cs[j] = forget[j] * cs[j] + i[j] * candidate[j];
    if (p != nullptr)
      for (int64_t j = 0; j < H; ++j) o[j] += p[H + j] * cs[j];
    clip(o, H);
    apply(f[0], o);
    f[2](cs, row, H);
    for (int64_t j = 0; j < H; ++j) h[j] = o[j] * row[j];
  }

  const Attributes* a_ = nullptr;
  ops::RecurrentLayout layout_;
  int64_t times_ = 0, batch_ = 0, hidden_ = 0, rows_ = 0;
  // Offsets into the shared scratch, in floats.
  size_t r_ = 0, bias_ = 0, fresh_bias_ = 0, recurrent_ = 0, h_ = 0, c_ = 0, reset_ = 0, row_ = 0;
};

}  // namespace

Status make_recurrent(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, BoundRecurrent>(c, op);
}

}  // namespace octavo
