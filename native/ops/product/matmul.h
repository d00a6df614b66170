// What the two implementations of MatMul share.
#pragma once

#include "kernels/sgemm/sgemm.h"
#include "ops/support/aligned_buffer.h"
#include "ops/support/float_epilogue.h"
#include "ops/product/matmul_shape.h"

namespace octavo::ops {

struct MatMulAttributes {
  bool trans_a = false, trans_b = false;
  float alpha = 1.0f, beta = 1.0f;
  FloatEpilogue epilogue;
  bool plain = true;  // fn is none
  bool is_float = true;
  AlignedBuffer packed;  // of a constant float b: its matrices one after the other, times alpha

  Status load(const LoadContext& c);
};

// y = clamp(y + beta * bias), bias broadcast to y.
class BiasPass {
 public:
  Status prepare(BindContext& c, int input);
  // Elements [begin, end) of y.
  template <class T, class Combine>
  void range(T* y, const T* bias, int64_t begin, int64_t end, Combine&& combine) const {
    for (int64_t i = begin; i < end; ++i) {
      int64_t left = i, at = 0;
      for (int d = shape_.rank - 1; d >= 0; --d) {
        at += left % shape_[d] * steps_[d];
        left /= shape_[d];
      }
      y[i] = combine(y[i], bias[at]);
    }
  }
  int64_t elements() const { return shape_.elements(); }

 private:
  Shape shape_;
  int64_t steps_[kMaxRank] = {};
};

// Integers and float64, by the definition. An implementation of Bound for the types that have no kernels.
Status bind_plain_matmul(const MatMulAttributes& attributes, BindContext& c, std::unique_ptr<Bound>* bound);

}  // namespace octavo::ops
