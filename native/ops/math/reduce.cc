// Reduce: sums, means, norms, products and extremes over axes.
#include <cmath>
#include <limits>

#include "kernels/math/math.h"
#include "kernels/math/precise.h"
#include "kernels/rows/rows.h"
#include "ops/support/chunks.h"
#include "ops/math/reduced_axes.h"
#include "ops/support/typed.h"

namespace octavo {
namespace {

enum class Fn { kSum, kMean, kMax, kMin, kProd, kL1, kL2, kLogSum, kLogSumExp, kSumSquare };

struct Attributes {
  Fn fn = Fn::kSum;
  std::vector<int64_t> axes;
  Status load(const LoadContext& c) {
    const char* const names[] = {"sum", "mean", "max", "min", "prod", "l1", "l2", "logsum", "logsumexp", "sumsquare"};
    const std::string name = c.text("fn", "");
    int found = -1;
    for (int i = 0; i < 10; ++i)
      if (name == names[i]) found = i;
    if (found < 0) return c.error(Code::kUnsupported, "no function \"" + name + "\"");
    fn = static_cast<Fn>(found);
    axes = c.integers("axes");
    const DType type = c.input(0)->dtype;
    const bool truth = type == DType::kBool && (fn == Fn::kMax || fn == Fn::kMin);
    if (!truth && !ops::has_type(ops::NumberTypes(), type))
      return c.error(Code::kUnsupported, "\"" + name + "\" of " + dtype_name(type));
    return Status::Ok();
  }
};

Reduction reduction_of(Fn fn) {
  switch (fn) {
    case Fn::kMax: return Reduction::kMax;
    case Fn::kMin: return Reduction::kMin;
    case Fn::kProd: return Reduction::kProduct;
    case Fn::kL1: return Reduction::kSumAbs;
    case Fn::kL2:
    case Fn::kSumSquare: return Reduction::kSumSquares;
    case Fn::kLogSumExp: return Reduction::kSumExp;
    default: return Reduction::kSum;
  }
}

constexpr int64_t kColumns = 64;

// Integers in the type itself, wrapping; float64 in order.
template <class T>
T reduce_plain(Fn fn, const ops::ReducedAxes& axes, const T* x) {
  using Limits = std::numeric_limits<T>;
  T result = fn == Fn::kProd  ? T{1}
             : fn == Fn::kMax ? (Limits::has_infinity ? -Limits::infinity() : Limits::lowest())
             : fn == Fn::kMin ? (Limits::has_infinity ? Limits::infinity() : Limits::max())
                              : T{0};
  double exponentials = 0, top = -HUGE_VAL;
  if (fn == Fn::kLogSumExp)
    for (int64_t i = 0; i < axes.count; ++i) {
      const double v = static_cast<double>(x[axes.element(i)]);
      if (v > top) top = v;
    }
  for (int64_t i = 0; i < axes.count; ++i) {
    const T v = x[axes.element(i)];
    switch (fn) {
      case Fn::kMax: result = v > result || v != v ? v : result; break;
      case Fn::kMin: result = v < result || v != v ? v : result; break;
      case Fn::kProd: result = ops::wrap_mul(result, v); break;
      case Fn::kL1: result = v < 0 ? ops::wrap_sub(result, v) : ops::wrap_add(result, v); break;
      case Fn::kL2:
      case Fn::kSumSquare: result = ops::wrap_add(result, ops::wrap_mul(v, v)); break;
      case Fn::kLogSumExp: exponentials += precise_exp(static_cast<double>(v) - top); break;
      default: result = ops::wrap_add(result, v);
    }
  }
  const auto to_type = [](double d) {  // saturated where T is an integer
    if (std::is_floating_point<T>::value) return static_cast<T>(d);
    if (!(d > static_cast<double>(Limits::lowest()))) return d != d ? T{0} : Limits::lowest();
    return d >= static_cast<double>(Limits::max()) ? Limits::max() : static_cast<T>(d);
  };
  switch (fn) {
    case Fn::kMean: return axes.count == 0 ? to_type(NAN) : static_cast<T>(result / static_cast<T>(axes.count));
    case Fn::kL2: return to_type(std::sqrt(static_cast<double>(result)));
    case Fn::kLogSum: return to_type(precise_log(static_cast<double>(result)));
    case Fn::kLogSumExp: return to_type(top == -HUGE_VAL ? top : top + precise_log(exponentials));
    default: return result;
  }
}

class Reduce final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    fn_ = a.fn;
    type_ = c.in_type(0);
    OCTAVO_RETURN_IF_ERROR(axes_.plan(c, a.axes));
    if (type_ == DType::kFloat32 && !axes_.is_simple())
      c.scratch(0, static_cast<size_t>(axes_.count) * sizeof(float) + kReadSlack);
    return Status::Ok();
  }
  Status run(RunContext& c) override {
    if (axes_.results == 0) return Status::Ok();
    if (type_ == DType::kFloat32) {
      floats(c);
    } else {
      // max and min of truth values are those of their bytes
      ops::with_type(ops::NumberTypes(), type_ == DType::kBool ? DType::kUint8 : type_, [&](auto zero) {
        using T = decltype(zero);
        const T* x = c.in<T>(0);
        T* y = c.out<T>(0);
        ops::for_rows(c.pool(), axes_.results, axes_.count,
                      [&](int64_t i) { y[i] = reduce_plain<T>(fn_, axes_, x + axes_.start(i)); });
      });
    }
    return Status::Ok();
  }

 private:
  void floats(RunContext& c) const {
    const float* x = c.in<float>(0);
    float* y = c.out<float>(0);
    const RowKernels& rows = row_kernels();
    const Reduction kind = reduction_of(fn_);
    const int64_t inner = axes_.inner(), n = axes_.count;
    if (axes_.is_simple() && inner > 1) {
      const int64_t tiles = (inner + kColumns - 1) / kColumns;
      c.pool().for_each(axes_.results / inner * tiles, [&](int64_t task, int) {
        const int64_t begin = task % tiles * kColumns, columns = inner - begin < kColumns ? inner - begin : kColumns;
        const float* from = x + task / tiles * n * inner + begin;
        float* to = y + task / tiles * inner + begin;
        float shift[kColumns + kReadSlack / sizeof(float)] = {};
        if (fn_ == Fn::kLogSumExp) {
          rows.reduce_columns(Reduction::kMax, from, shift, n, inner, columns, nullptr);
          for (int64_t i = 0; i < columns; ++i) shift[i] = finite_or_zero(shift[i]);
        }
        rows.reduce_columns(kind, from, to, n, inner, columns, shift);
        finish(to, columns, shift);
      });
      return;
    }
    const auto one = [&](const float* from, float* to) {
      float shift = 0;
      if (fn_ == Fn::kLogSumExp) shift = finite_or_zero(rows.reduce(Reduction::kMax, from, n, 0));
      *to = rows.reduce(kind, from, n, shift);
      finish(to, 1, &shift);
    };
    if (axes_.is_simple()) {
      ops::for_rows(c.pool(), axes_.results, n, [&](int64_t i) { one(x + axes_.start(i), y + i); });
      return;
    }
    c.pool().for_each(axes_.results, [&](int64_t i, int thread) {
      float* gathered = static_cast<float*>(c.thread_scratch(thread));
      const float* from = x + axes_.start(i);
      for (int64_t k = 0; k < n; ++k) gathered[k] = from[axes_.element(k)];
      one(gathered, y + i);
    });
  }
  static float finite_or_zero(float v) { return std::isfinite(v) ? v : 0.0f; }

  void finish(float* y, int64_t n, const float* shift) const {
    if (fn_ == Fn::kMean)
      for (int64_t i = 0; i < n; ++i) y[i] /= static_cast<float>(axes_.count);
    if (fn_ == Fn::kL2)
      for (int64_t i = 0; i < n; ++i) y[i] = std::sqrt(y[i]);
    if (fn_ != Fn::kLogSum && fn_ != Fn::kLogSumExp) return;
    for (int64_t i = 0; i < n; ++i) {
      const float sum[1 + kReadSlack / sizeof(float)] = {y[i]}, unused[2] = {0, 0};
      float log;
      math_kernels().apply(VectorFunction::kLog, sum, &log, 1, unused);
      y[i] = fn_ == Fn::kLogSum ? log : log + shift[i];
    }
  }

  Fn fn_ = Fn::kSum;
  DType type_ = DType::kFloat32;
  ops::ReducedAxes axes_;
};

}  // namespace

Status make_reduce(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Reduce>(c, op); }

}  // namespace octavo
