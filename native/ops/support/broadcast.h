// Numpy broadcasting: the axes of the output are merged where all inputs allow it, so that what remains is a loop
// over rows whose elements are, in each input, consecutive or one and the same.
#pragma once

#include "ops/support/chunks.h"
#include "ops/support/op_support.h"

namespace octavo::ops {

template <int kInputs>
class Broadcast {
 public:
  // kShape if an input does not broadcast to the output.
  Status plan(BindContext& c, const int* inputs) {
    const Shape& out = c.out(0);
    int64_t dims[kMaxRank + 1], strides[kInputs][kMaxRank + 1];
    for (int k = 0; k < kInputs; ++k) {
      const Shape& in = c.in(inputs[k]);
      if (in.rank > out.rank) return mismatch(c, inputs[k]);
      int64_t stride = 1;
      for (int axis = out.rank - 1, own = in.rank - 1; axis >= 0; --axis, --own) {
        const int64_t size = own >= 0 ? in[own] : 1;
        if (size != out[axis] && size != 1) return mismatch(c, inputs[k]);
        strides[k][axis] = size == 1 ? 0 : stride;
        stride *= size;
      }
    }
    elements_ = out.elements();
    rank_ = 0;
    // From the last axis to the first; axis 0 of dims_ is the innermost.
    for (int axis = out.rank - 1; axis >= 0; --axis) {
      if (out[axis] == 1) continue;
      bool merge = rank_ > 0;
      for (int k = 0; merge && k < kInputs; ++k) merge = strides[k][axis] == strides_[k][rank_ - 1] * dims_[rank_ - 1];
      dims[axis] = out[axis];
      if (merge) {
        dims_[rank_ - 1] *= dims[axis];
      } else {
        dims_[rank_] = dims[axis];
        for (int k = 0; k < kInputs; ++k) strides_[k][rank_] = strides[k][axis];
        ++rank_;
      }
    }
    if (rank_ == 0) {
      dims_[0] = 1;
      for (int k = 0; k < kInputs; ++k) strides_[k][0] = 1;
      rank_ = 1;
    }
    return Status::Ok();
  }

  // Of the rows that for_each_row gives: 1 (consecutive) or 0 (one value for the row).
  int64_t step(int input) const { return strides_[input][0]; }

  // f(offsets, at, n): n elements of the output from `at` on, of input k from offsets[k] on.
  template <class F>
  void for_each_row(ThreadPool& pool, F f) const {
    if (elements_ == 0) return;
    const int64_t inner = dims_[0], rows = elements_ / inner;
    const int64_t tiles = (inner + kChunk - 1) / kChunk;
    for_rows(pool, rows * tiles, inner < kChunk ? inner : kChunk, [&](int64_t index) {
      const int64_t tile = index % tiles;
      int64_t row = index / tiles, offsets[kInputs];
      const int64_t begin = tile * kChunk, n = inner - begin < kChunk ? inner - begin : kChunk;
      for (int k = 0; k < kInputs; ++k) offsets[k] = begin * strides_[k][0];
      const int64_t at = row * inner + begin;
      for (int axis = 1; axis < rank_; ++axis) {
        const int64_t i = row % dims_[axis];
        row /= dims_[axis];
        for (int k = 0; k < kInputs; ++k) offsets[k] += i * strides_[k][axis];
      }
      f(static_cast<const int64_t*>(offsets), at, n);
    });
  }

 private:
  static Status mismatch(BindContext& c, int input) {
    return c.error(Code::kShape, "input " + std::to_string(input) + " of shape " + dims_text(c.in(input)) +
                                     " does not broadcast to the output " + dims_text(c.out(0)));
  }

  int rank_ = 0;
  int64_t elements_ = 0;
  int64_t dims_[kMaxRank] = {};
  int64_t strides_[kInputs][kMaxRank] = {};
};

}  // namespace octavo::ops
