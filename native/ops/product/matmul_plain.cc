// MatMul of integers (wrapping) and float64, and the broadcast of a bias.
#include <algorithm>
#include <type_traits>

#include "ops/product/matmul.h"

namespace octavo::ops {
namespace {

template <class T>
class PlainMatMul final : public Bound {
 public:
  // Integers are multiplied as unsigned numbers, which wrap.
  using U = typename std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>, std::enable_if<true, T>>::type;

  Status prepare(const MatMulAttributes& a, BindContext& c) {
    OCTAVO_RETURN_IF_ERROR(shape_.read(c, a.trans_a, a.trans_b));
    trans_a_ = a.trans_a;
    trans_b_ = a.trans_b;
    alpha_ = static_cast<T>(a.alpha);
    beta_ = static_cast<T>(a.beta);
    if (static_cast<float>(alpha_) != a.alpha || static_cast<float>(beta_) != a.beta || !a.plain)
      return c.error(Code::kUnsupported,
                     std::string("alpha, beta and activations of type ") + dtype_name(c.out_type(0)));
    has_bias_ = c.has_input(2);
    return has_bias_ ? bias_.prepare(c, 2) : Status::Ok();
  }

  Status run(RunContext& c) override {
    const MatMulShape& s = shape_;
    c.pool().for_each(s.batch * s.m, [&](int64_t task, int) {
      int64_t ai, bi;
      s.operands(task / s.m, &ai, &bi);
      const int64_t i = task % s.m;
      const T* a = c.in<T>(0) + ai * s.m * s.k;
      const T* b = c.in<T>(1) + bi * s.k * s.n;
      T* y = c.out<T>(0) + task * s.n;
      for (int64_t j = 0; j < s.n; ++j) {
        U sum = 0;
        for (int64_t k = 0; k < s.k; ++k)
          sum += static_cast<U>(a[trans_a_ ? k * s.m + i : i * s.k + k]) *
                 static_cast<U>(b[trans_b_ ? j * s.k + k : k * s.n + j]);
        y[j] = static_cast<T>(static_cast<U>(alpha_) * sum);
      }
      if (has_bias_)
        bias_.range(c.out<T>(0), c.in<T>(2), task * s.n, (task + 1) * s.n, [&](T x, T v) {
          return static_cast<T>(static_cast<U>(x) + static_cast<U>(beta_) * static_cast<U>(v));
        });
    });
    return Status::Ok();
  }

 private:
  MatMulShape shape_;
  BiasPass bias_;
  bool trans_a_ = false, trans_b_ = false, has_bias_ = false;
  T alpha_ = 1, beta_ = 1;
};

template <class T>
Status bind_type(const MatMulAttributes& attributes, BindContext& c, std::unique_ptr<Bound>* bound) {
  auto made = std::make_unique<PlainMatMul<T>>();
  OCTAVO_RETURN_IF_ERROR(made->prepare(attributes, c));
  *bound = std::move(made);
  return Status::Ok();
}

}  // namespace

Status BiasPass::prepare(BindContext& c, int input) {
  shape_ = c.out(0);
  const Shape& bias = c.in(input);
  if (bias.rank > shape_.rank) return shape_error(c, "bias", shape_, bias);
  int64_t stride = 1;
  for (int i = bias.rank - 1, d = shape_.rank - 1; i >= 0; --i, --d) {
    if (bias[i] != 1 && bias[i] != shape_[d]) return shape_error(c, "bias", shape_, bias);
    steps_[d] = bias[i] == 1 ? 0 : stride;
    stride *= bias[i];
  }
  return Status::Ok();
}

Status bind_plain_matmul(const MatMulAttributes& attributes, BindContext& c, std::unique_ptr<Bound>* bound) {
  switch (c.out_type(0)) {
    case DType::kInt32: return bind_type<int32_t>(attributes, c, bound);
    case DType::kUint32: return bind_type<uint32_t>(attributes, c, bound);
    case DType::kInt64: return bind_type<int64_t>(attributes, c, bound);
    case DType::kUint64: return bind_type<uint64_t>(attributes, c, bound);
    case DType::kFloat64: return bind_type<double>(attributes, c, bound);
    default: return c.error(Code::kUnsupported, std::string("matrices of ") + dtype_name(c.out_type(0)));
  }
}

}  // namespace octavo::ops
