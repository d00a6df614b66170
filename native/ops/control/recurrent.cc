// Recurrent: LSTM, GRU and RNN of ONNX (layout 0), float32.
//
//   x [T, B, I], w [D, G*H, I], r [D, G*H, H], b [D, 2*G*H], lengths [B] int32, h0 and c0 [D, B, H], p [D, 3*H]
//   y [T, D, B, H], h and c [D, B, H]; D directions, G gates: LSTM iofc, GRU zrh, RNN one.
//
// The input's part of all gates is one product for all steps; the steps then add the recurrent part.
#include <algorithm>
#include <limits>

#include "kernels/sgemm/sgemm.h"
#include "ops/support/aligned_buffer.h"
#include "ops/support/op_support.h"
#include "ops/control/recurrent_cell.h"

namespace octavo {
namespace {

enum class Cell { kLstm, kGru, kRnn };
enum Input { kX, kW, kR, kB, kLengths, kH0, kC0, kP };

// out[i][j] = bias[j] + sum over k of a[i][k] * packed[k][j], rows apart by a_stride and out_stride; tasks by shape.
void product(ThreadPool& pool, const float* a, int64_t a_stride, int64_t m, int64_t k, const float* packed, int64_t n,
             const float* bias, float* out, int64_t out_stride) {
  const SgemmKernel& kernel = sgemm_kernel();
  const int64_t mr = static_cast<int64_t>(kernel.mr), nr = static_cast<int64_t>(kernel.nr), blocks = (n + nr - 1) / nr;
  const int64_t per_task =
      std::max<int64_t>(1, 65536 / std::max<int64_t>(1, k * nr));  // blocks: a task is 64k multiplications a row
  const int64_t column_tasks = (blocks + per_task - 1) / per_task, row_tasks = (m + mr - 1) / mr;
  const float inf = std::numeric_limits<float>::infinity();
  pool.for_each(row_tasks * column_tasks, [&](int64_t task, int) {
    const int64_t row = task / column_tasks * mr, first = task % column_tasks * per_task,
                  last = std::min(blocks, first + per_task);
    const int64_t rows = std::min(mr, m - row);
    const float* rows_in[kSgemmMaxRows];
    float* rows_out[kSgemmMaxRows];
    for (int64_t i = 0; i < rows; ++i) rows_in[i] = a + (row + i) * a_stride;
    for (int64_t block = first; block < last; ++block) {
      const int64_t j = block * nr;
      for (int64_t i = 0; i < rows; ++i) rows_out[i] = out + (row + i) * out_stride + j;
      kernel.tile({static_cast<size_t>(rows), static_cast<size_t>(std::min(nr, n - j)), 1, static_cast<size_t>(k),
                   rows_in, packed + j * k, kernel.nr, bias != nullptr ? bias + j : nullptr, nullptr, -inf, inf,
                   rows_out});
    }
  });
}

struct Attributes {
  Cell cell = Cell::kLstm;
  int gates = 4, directions = 1;
  bool reverse_first = false, linear_before_reset = false, input_forget = false;
  float clip = 0.0f;                      // 0: none
  bool gives[3] = {};                     // y, h, c
  ops::CellActivation activations[2][3];  // f, g, h of each direction

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
    return Status::Ok();
  }
};

class Recurrent final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    a_ = a;
    const Shape &x = c.in(kX), &r = c.in(kR);
    if (x.rank != 3 || r.rank != 3)
      return c.error(Code::kShape, "x " + ops::dims_text(x) + " and r " + ops::dims_text(r) + ": expected rank 3");
    times_ = x[0];
    batch_ = x[1];
    inputs_ = x[2];
    hidden_ = r[2];
    const int64_t d = a.directions, g = a.gates;
    const Shape expected[] = {x,
                              {3, {d, g * hidden_, inputs_}},
                              {3, {d, g * hidden_, hidden_}},
                              {2, {d, 2 * g * hidden_}},
                              {1, {batch_}},
                              {3, {d, batch_, hidden_}},
                              {3, {d, batch_, hidden_}},
                              {2, {d, 3 * hidden_}}};
    static const char* const kNames[] = {"x", "w", "r", "b", "lengths", "h0", "c0", "p"};
    for (int i = 0; i < 8; ++i)
      if (c.has_input(i)) OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, kNames[i], expected[i], c.in(i)));

    const Shape outputs[] = {{4, {times_, d, batch_, hidden_}}, expected[kH0], expected[kH0]};
    static const char* const kOutputs[] = {"y", "h", "c"};
    for (int i = 0; i < 3; ++i) {
      if (!a.gives[i]) continue;
      OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, kOutputs[i], outputs[i], c.out(i)));
    }

    // Shared scratch, in floats: packed w and r, then per direction in turn: gates of all steps, the sum of the biases,
    // state.
    const SgemmKernel& kernel = sgemm_kernel();
    const size_t n = static_cast<size_t>(g * hidden_);
    const auto round = [](size_t floats) { return (floats + 31) / 16 * 16; };
    const double total = static_cast<double>(times_) * static_cast<double>(batch_) * static_cast<double>(n);
    if (total > static_cast<double>(PTRDIFF_MAX) / 64)
      return c.error(Code::kLimit, "a sequence too long for its gates");
    size_t at = 0;
    const auto take = [&](size_t floats) {
      const size_t here = at;
      at += round(floats);
      return here;
    };
    w_ = take(sgemm_packed_size(kernel, static_cast<size_t>(inputs_), n));
    r_ = take(sgemm_packed_size(kernel, static_cast<size_t>(hidden_), n));
    new_r_ = take(a.cell == Cell::kGru
                      ? sgemm_packed_size(kernel, static_cast<size_t>(hidden_), static_cast<size_t>(hidden_))
                      : 0);
    gates_ = take(static_cast<size_t>(times_ * batch_) * n);
    bias_ = take(n);
    recurrent_bias_ = take(n);
    recurrent_ = take(static_cast<size_t>(batch_) * n);
    h_ = take(static_cast<size_t>(batch_ * hidden_));
    c_ = take(static_cast<size_t>(batch_ * hidden_));
    reset_ = take(static_cast<size_t>(batch_ * hidden_));
    row_ = take(static_cast<size_t>(hidden_));
    c.scratch(at * sizeof(float), 0);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    if (const int32_t* lengths = c.in<int32_t>(kLengths))
      for (int64_t b = 0; b < batch_; ++b)
        if (lengths[b] < 0 || lengths[b] > times_)
          return c.error(Code::kData, "length " + std::to_string(lengths[b]) + " of batch entry " + std::to_string(b) +
                                          " is outside of [0, " + std::to_string(times_) + "]");
    for (int d = 0; d < a_.directions; ++d) direction(c, d);
    return Status::Ok();
  }

 private:
  void direction(RunContext& c, int d) const {
    float* s = static_cast<float*>(c.shared_scratch());
    const SgemmKernel& kernel = sgemm_kernel();
    const int64_t n = a_.gates * hidden_, state = batch_ * hidden_;
    const size_t blocks = (static_cast<size_t>(n) + kernel.nr - 1) / kernel.nr;
    sgemm_pack(kernel, c.in<float>(kW) + d * n * inputs_, inputs_, n, 1, inputs_, 1.0f, 0, blocks, s + w_);
    sgemm_pack(kernel, c.in<float>(kR) + d * n * hidden_, hidden_, n, 1, hidden_, 1.0f, 0, blocks, s + r_);
    if (a_.cell == Cell::kGru && !a_.linear_before_reset)
      sgemm_pack(kernel, c.in<float>(kR) + (d * n + 2 * hidden_) * hidden_, hidden_, hidden_, 1, hidden_, 1.0f, 0,
                 (static_cast<size_t>(hidden_) + kernel.nr - 1) / kernel.nr, s + new_r_);
    // Both biases go to the input's part, but that of the new gate of a GRU which resets after its product.
    const float* b = c.in<float>(kB);
    const bool apart = a_.cell == Cell::kGru && a_.linear_before_reset;
    for (int64_t j = 0; j < n; ++j) {
      const float wb = b != nullptr ? b[d * 2 * n + j] : 0.0f, rb = b != nullptr ? b[d * 2 * n + n + j] : 0.0f;
      const bool keep = apart && j >= 2 * hidden_;
      s[bias_ + j] = keep ? wb : wb + rb;
      s[recurrent_bias_ + j] = keep ? rb : 0.0f;
    }
    const auto initial = [&](int input, float* to) {
      const float* from = c.in<float>(input);
      for (int64_t i = 0; i < state; ++i) to[i] = from != nullptr ? from[d * state + i] : 0.0f;
    };
    initial(kH0, s + h_);
    initial(kC0, s + c_);
    product(c.pool(), c.in<float>(kX), inputs_, times_ * batch_, inputs_, s + w_, n, s + bias_, s + gates_, n);

    const int32_t* lengths = c.in<int32_t>(kLengths);
    const bool backward = a_.reverse_first || d == 1;
    float* y = a_.gives[0] ? c.out<float>(0) : nullptr;
    for (int64_t step = 0; step < times_; ++step) {
      if (c.cancelled().load(std::memory_order_relaxed)) return;
      const int64_t t = backward ? times_ - 1 - step : step;
      product(c.pool(), s + h_, hidden_, batch_, hidden_, s + r_, n, s + recurrent_bias_, s + recurrent_, n);
      if (a_.cell == Cell::kGru && !a_.linear_before_reset) reset_first(c, d, t, s);
      for (int64_t e = 0; e < batch_; ++e) {
        float* out = y != nullptr ? y + ((t * a_.directions + d) * batch_ + e) * hidden_ : nullptr;
        // Past its length an entry keeps its state; running backwards, it starts where its sequence ends.
        if (lengths != nullptr && t >= lengths[e]) {
          if (out != nullptr) std::fill(out, out + hidden_, 0.0f);
          continue;
        }
        float* gates = s + gates_ + (t * batch_ + e) * n;
        cell(c, d, gates, s + recurrent_ + e * n, s + h_ + e * hidden_, s + c_ + e * hidden_, s + row_);
        if (out != nullptr) std::copy(s + h_ + e * hidden_, s + h_ + (e + 1) * hidden_, out);
      }
    }
    if (a_.gives[1]) std::copy(s + h_, s + h_ + state, c.out<float>(1) + d * state);
    if (a_.gives[2]) std::copy(s + c_, s + c_ + state, c.out<float>(2) + d * state);
  }

  void clip(float* x, int64_t count) const {
    if (a_.clip <= 0.0f) return;
    for (int64_t i = 0; i < count; ++i) x[i] = std::min(a_.clip, std::max(-a_.clip, x[i]));
  }

  // GRU whose reset gate acts on h before the product: the recurrent part of the new gate becomes (r * h) R_h^T.
  void reset_first(RunContext& c, int d, int64_t t, float* s) const {
    const int64_t n = 3 * hidden_;
    const ops::CellActivation& f = a_.activations[d][0];
    for (int64_t e = 0; e < batch_; ++e) {
      const float* gates = s + gates_ + (t * batch_ + e) * n;
      float* reset = s + reset_ + e * hidden_;
      for (int64_t j = 0; j < hidden_; ++j) reset[j] = gates[hidden_ + j] + s[recurrent_ + e * n + hidden_ + j];
      clip(reset, hidden_);
      f(reset, reset, hidden_);
      for (int64_t j = 0; j < hidden_; ++j) reset[j] *= s[h_ + e * hidden_ + j];
    }
    product(c.pool(), s + reset_, hidden_, batch_, hidden_, s + new_r_, hidden_, nullptr, s + recurrent_ + 2 * hidden_,
            n);
  }

  // One step of one batch entry. gates: its input's part, overwritten; recurrent: h R^T.
  void cell(RunContext& c, int d, float* gates, const float* recurrent, float* h, float* cs, float* row) const {
    const int64_t H = hidden_;
    const ops::CellActivation* f = a_.activations[d];
    const float* p = c.in<float>(kP) != nullptr ? c.in<float>(kP) + d * 3 * H : nullptr;
    if (a_.cell == Cell::kRnn) {
      for (int64_t j = 0; j < H; ++j) gates[j] += recurrent[j];
      clip(gates, H);
      f[0](gates, h, H);
      return;
    }
    if (a_.cell == Cell::kGru) {
      float *z = gates, *r = gates + H, *fresh = gates + 2 * H;
      for (int64_t j = 0; j < 2 * H; ++j) gates[j] += recurrent[j];
      clip(gates, 2 * H);
      f[0](gates, gates, 2 * H);
      for (int64_t j = 0; j < H; ++j) fresh[j] += (a_.linear_before_reset ? r[j] : 1.0f) * recurrent[2 * H + j];
      clip(fresh, H);
      f[1](fresh, fresh, H);
      for (int64_t j = 0; j < H; ++j) h[j] = (1.0f - z[j]) * fresh[j] + z[j] * h[j];
      return;
    }
    float *i = gates, *o = gates + H, *forget = gates + 2 * H, *candidate = gates + 3 * H;
    for (int64_t j = 0; j < 4 * H; ++j) gates[j] += recurrent[j];
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
    if (a_.input_forget)
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

  Attributes a_;
  int64_t times_ = 0, batch_ = 0, inputs_ = 0, hidden_ = 0;
  // Offsets into the shared scratch, in floats.
  size_t w_ = 0, r_ = 0, new_r_ = 0, gates_ = 0, bias_ = 0, recurrent_bias_ = 0, recurrent_ = 0, h_ = 0, c_ = 0,
         reset_ = 0, row_ = 0;
};

}  // namespace

Status make_recurrent(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, Recurrent>(c, op);
}

}  // namespace octavo
