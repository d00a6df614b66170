// Pool: maximum (with indices), average and Lp norm over windows of float32, [N, spatial..., C].
#include <cmath>
#include <limits>

#include "kernels/math/precise.h"
#include "ops/image/pool_window.h"

namespace octavo {
namespace {

enum class Fn { kMax, kAverage, kLp };

struct Attributes {
  ops::PoolAttributes pool;
  Fn fn = Fn::kMax;
  int64_t p = 2;
  bool indices = false;

  Status load(const LoadContext& c) {
    OCTAVO_RETURN_IF_ERROR(pool.load(c));
    const std::string name = c.text("fn", "");
    if (name != "max" && name != "average" && name != "lp")
      return c.error(Code::kUnsupported, "no function \"" + name + "\"");
    fn = name == "max" ? Fn::kMax : name == "average" ? Fn::kAverage : Fn::kLp;
    p = c.integer("p", 2);
    if (p < 1) return c.error(Code::kInvalidPlan, "expected p of 1 or more, got " + std::to_string(p));
    indices = c.outputs() == 2;
    if (indices && fn != Fn::kMax) return c.error(Code::kInvalidPlan, "indices are of a maximum");
    const DType type = c.input(0)->dtype;
    const bool ok = type == DType::kFloat32 ||
                    (fn == Fn::kMax && (type == DType::kUint8 || type == DType::kInt8 || type == DType::kUint16 ||
                                        type == DType::kInt16 || type == DType::kFloat64));
    return ok ? Status::Ok() : c.error(Code::kUnsupported, std::string("elements of type ") + dtype_name(type));
  }
};

class Pool final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = a;
    type_ = c.in_type(0);
    OCTAVO_RETURN_IF_ERROR(window_.plan(a.pool, c));
    return a.indices ? ops::expect_shape(c, "indices", c.out(0), c.out(1)) : Status::Ok();
  }

  Status run(RunContext& c) override {
    c.pool().for_each(window_.rows(), [&](int64_t row, int) {
      if (attributes_.fn != Fn::kMax) return sum_row(c, row);
      switch (type_) {
        case DType::kUint8: return max_row<uint8_t>(c, row);
        case DType::kInt8: return max_row<int8_t>(c, row);
        case DType::kUint16: return max_row<uint16_t>(c, row);
        case DType::kInt16: return max_row<int16_t>(c, row);
        case DType::kFloat64: return max_row<double>(c, row);
        default: return max_row<float>(c, row);
      }
    });
    return Status::Ok();
  }

 private:
  int64_t image(int64_t row) const { return row / (window_.out[0] * window_.out[1]); }

  template <class T>
  void max_row(RunContext& c, int64_t row) const {
    const int64_t channels = window_.channels;
    const T* x = c.in<T>(0) + image(row) * window_.pixels() * channels;
    T* out = c.out<T>(0);
    int64_t* indices = attributes_.indices ? c.out<int64_t>(1) : nullptr;
    const T lowest =
        std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
    window_.for_each_pixel(row, [&](int64_t at, const ops::PoolWindow::Range* r, int64_t, int64_t) {
      T* y = out + at * channels;
      for (int64_t i = 0; i < channels; ++i) y[i] = lowest;
      if (indices == nullptr) {
        window_.for_each_tap(r, [&](int64_t tap) {
          const T* v = x + tap * channels;
          for (int64_t i = 0; i < channels; ++i) y[i] = v[i] > y[i] ? v[i] : y[i];
        });
        return;
      }
      int64_t* where = indices + at * channels;
      bool first = true;
      window_.for_each_tap(r, [&](int64_t tap) {
        const T* v = x + tap * channels;
        for (int64_t i = 0; i < channels; ++i) {
          if (!first && !(v[i] > y[i])) continue;
          y[i] = v[i];
          where[i] = (image(row) * channels + i) * window_.pixels() + tap;
        }
        first = false;
      });
      if (first)
        for (int64_t i = 0; i < channels; ++i) where[i] = 0;  // a window that lies in the padding alone
    });
  }

  void sum_row(RunContext& c, int64_t row) const {
    const int64_t channels = window_.channels, p = attributes_.p;
    const float* x = c.in<float>(0) + image(row) * window_.pixels() * channels;
    float* out = c.out<float>(0);
    window_.for_each_pixel(row, [&](int64_t at, const ops::PoolWindow::Range* r, int64_t, int64_t divisor) {
      float* y = out + at * channels;
      for (int64_t i = 0; i < channels; ++i) y[i] = 0;
      window_.for_each_tap(r, [&](int64_t tap) {
        const float* v = x + tap * channels;
        if (attributes_.fn == Fn::kAverage)
          for (int64_t i = 0; i < channels; ++i) y[i] += v[i];
        else if (p == 1)
          for (int64_t i = 0; i < channels; ++i) y[i] += std::fabs(v[i]);
        else if (p == 2)
          for (int64_t i = 0; i < channels; ++i) y[i] += v[i] * v[i];
        else
          for (int64_t i = 0; i < channels; ++i)
            y[i] += static_cast<float>(precise_pow(std::fabs(v[i]), static_cast<double>(p)));
      });
      if (attributes_.fn == Fn::kAverage) {
        const float n = static_cast<float>(divisor > 0 ? divisor : 1);
        for (int64_t i = 0; i < channels; ++i) y[i] /= n;
      } else if (p == 2) {
        for (int64_t i = 0; i < channels; ++i) y[i] = std::sqrt(y[i]);
      } else if (p > 2) {
        for (int64_t i = 0; i < channels; ++i)
          y[i] = static_cast<float>(precise_pow(y[i], 1.0 / static_cast<double>(p)));
      }
    });
  }

  Attributes attributes_;
  DType type_ = DType::kFloat32;
  ops::PoolWindow window_;
};

}  // namespace

Status make_pool(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Pool>(c, op); }

}  // namespace octavo
