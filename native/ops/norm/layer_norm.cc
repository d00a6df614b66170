// LayerNorm over the axes from `axis` on, and RMS normalization, float32. Outputs y, mean?, inverse deviation?.
#include "kernels/rows/rows.h"
#include "ops/support/chunks.h"
#include "ops/support/op_support.h"

namespace octavo {
namespace {

struct Attributes {
  int64_t axis = 0;
  float epsilon = 0;
  bool rms = false;
  Status load(const LoadContext& c) {
    axis = c.integer("axis", 0);
    epsilon = c.number("epsilon", 1e-5f);
    rms = c.integer("rms", 0) != 0;
    return Status::Ok();
  }
};

class LayerNorm final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    attributes_ = a;
    const Shape& x = c.in(0);
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", x, c.out(0)));
    if (a.axis < 0 || a.axis > x.rank)
      return c.error(Code::kInvalidPlan, "axis " + std::to_string(a.axis) + " of " + ops::dims_text(x));
    const int axis = static_cast<int>(a.axis);
    rows_ = ops::span(x, 0, axis);
    n_ = ops::span(x, axis, x.rank);
    for (int i = 1; i < 3; ++i)
      if (c.has_input(i)) {
        const int64_t size = c.in(i).elements();
        if (size != n_ && size != 1)
          return c.error(Code::kShape,
                         "expected " + std::to_string(n_) + " scales and biases, got " + ops::dims_text(c.in(i)));
        if (size != n_) spread_ = true;
        sizes_[i] = size;
      }
    if (spread_) c.scratch(2 * spread_bytes(), 0);
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    LayerNormRow p = {c.in<float>(1), c.in<float>(2), attributes_.epsilon, attributes_.rms};
    if (spread_) {
      uint8_t* memory = static_cast<uint8_t*>(c.shared_scratch());
      p.scale = spread(p.scale, sizes_[1], memory);
      p.bias = spread(p.bias, sizes_[2], memory + spread_bytes());
    }
    const float* x = c.in<float>(0);
    float* y = c.out<float>(0);
    // Which of the two optional outputs come: those that the engine has memory for.
    float* means = c.out<float>(1);
    float* inverses = c.out<float>(2);
    ops::for_rows(c.pool(), rows_, n_, [&](int64_t row) {
      float mean, inverse;
      row_kernels().layer_norm(p, x + row * n_, y + row * n_, n_, &mean, &inverse);
      if (means != nullptr) means[row] = mean;
      if (inverses != nullptr) inverses[row] = inverse;
    });
    return Status::Ok();
  }

 private:
  size_t spread_bytes() const { return (static_cast<size_t>(n_) * sizeof(float) + 2 * kReadSlack) / 64 * 64; }
  const float* spread(const float* values, int64_t size, uint8_t* memory) const {
    if (values == nullptr || size == n_) return values;
    float* all = reinterpret_cast<float*>(memory);
    for (int64_t i = 0; i < n_; ++i) all[i] = values[0];
    return all;
  }

  Attributes attributes_;
  int64_t rows_ = 0, n_ = 0, sizes_[3] = {};
  bool spread_ = false;  // a scale or bias is one number
};

}  // namespace

Status make_layer_norm(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, LayerNorm>(c, op);
}

}  // namespace octavo
