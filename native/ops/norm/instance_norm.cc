// InstanceNorm of [N, C, ...] per channel or per group of channels (GroupNormalization), float32.
#include <cmath>

#include "kernels/rows/rows.h"
#include "ops/support/chunks.h"
#include "ops/support/op_support.h"

namespace octavo {
namespace {

struct Attributes {
  float epsilon = 0;
  int64_t groups = 0;
  Status load(const LoadContext& c) {
    epsilon = c.number("epsilon", 1e-5f);
    groups = c.integer("groups", 0);
    return Status::Ok();
  }
};

class InstanceNorm final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    const Shape& x = c.in(0);
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", x, c.out(0)));
    if (x.rank < 2) return c.error(Code::kShape, "expected [N, C, ...], got " + ops::dims_text(x));
    epsilon_ = a.epsilon;
    batch_ = x[0];
    channels_ = x[1];
    pixels_ = ops::span(x, 2, x.rank);
    groups_ = a.groups == 0 ? channels_ : a.groups;
    if (groups_ < 0 || (channels_ > 0 && (groups_ == 0 || channels_ % groups_ != 0)))
      return c.error(Code::kShape, std::to_string(channels_) + " channels in " + std::to_string(groups_) + " groups");
    for (int i = 1; i < 3; ++i) {
      const int64_t size = c.in(i).elements();
      if (size != channels_ && size != groups_)
        return c.error(Code::kShape,
                       "expected " + std::to_string(channels_) + " scales and biases, got " + ops::dims_text(c.in(i)));
      per_group_[i] = size != channels_;
    }
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    if (channels_ == 0 || pixels_ == 0) return Status::Ok();
    const float* x = c.in<float>(0);
    float* y = c.out<float>(0);
    const int64_t in_group = channels_ / groups_, n = in_group * pixels_;
    ops::for_rows(c.pool(), batch_ * groups_, n, [&](int64_t row) {
      const float* from = x + row * n;
      const float count = static_cast<float>(n);
      const float mean = row_kernels().reduce(Reduction::kSum, from, n, 0) / count;
      const float variance = row_kernels().squared_deviations(from, n, mean) / count;
      const float inverse = 1.0f / std::sqrt(variance + epsilon_);
      const int64_t group = row % groups_;
      for (int64_t k = 0; k < in_group; ++k) {
        const int64_t channel = group * in_group + k;
        const float scale = c.in<float>(1)[per_group_[1] ? group : channel];
        const float bias = c.in<float>(2)[per_group_[2] ? group : channel];
        row_kernels().normalize(from + k * pixels_, y + row * n + k * pixels_, pixels_, mean, inverse * scale, bias);
      }
    });
    return Status::Ok();
  }

 private:
  float epsilon_ = 0;
  int64_t batch_ = 0, channels_ = 0, pixels_ = 0, groups_ = 0;
  bool per_group_[3] = {};
};

}  // namespace

Status make_instance_norm(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, InstanceNorm>(c, op);
}

}  // namespace octavo
