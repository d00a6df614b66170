// The sizes of a batched product: [..., m, k] times [..., k, n], batch axes broadcast, either side transposed, vectors
// as matrices.
#pragma once

#include "engine/op.h"
#include "ops/support/op_support.h"

namespace octavo::ops {

struct MatMulShape {
  int64_t m = 1, n = 1, k = 1;
  int64_t batch = 1, a_batch = 1, b_batch = 1;
  int axes = 0;  // batch axes
  int64_t sizes[kMaxRank] = {};
  int64_t a_steps[kMaxRank] = {}, b_steps[kMaxRank] = {};  // in matrices; 0 along a broadcast axis

  Status read(BindContext& c, bool trans_a, bool trans_b) {
    const Shape &a = c.in(0), &b = c.in(1), &y = c.out(0);
    const auto misfit = [&] {
      return c.error(Code::kShape,
                     "a " + dims_text(a) + ", b " + dims_text(b) + " and output " + dims_text(y) + " do not fit");
    };
    if (a.rank < 1 || b.rank < 1) return misfit();
    m = a.rank == 1 ? 1 : a[a.rank - (trans_a ? 1 : 2)];
    k = a.rank == 1 ? a[0] : a[a.rank - (trans_a ? 2 : 1)];
    n = b.rank == 1 ? 1 : b[b.rank - (trans_b ? 2 : 1)];
    if (k != (b.rank == 1 ? b[0] : b[b.rank - (trans_b ? 1 : 2)])) return misfit();
    const int a_axes = a.rank > 2 ? a.rank - 2 : 0, b_axes = b.rank > 2 ? b.rank - 2 : 0;
    axes = a_axes > b_axes ? a_axes : b_axes;
    Shape expected;
    expected.rank = axes;
    for (int i = axes - 1; i >= 0; --i) {
      const int ai = i - (axes - a_axes), bi = i - (axes - b_axes);
      const int64_t as = ai < 0 ? 1 : a[ai], bs = bi < 0 ? 1 : b[bi];
      if (as != bs && as != 1 && bs != 1) return misfit();
      sizes[i] = expected.dims[i] = as == 1 ? bs : as;
      a_steps[i] = as == 1 ? 0 : a_batch;
      b_steps[i] = bs == 1 ? 0 : b_batch;
      a_batch *= as;
      b_batch *= bs;
      batch *= sizes[i];
    }
    if (a.rank > 1) expected.dims[expected.rank++] = m;
    if (b.rank > 1) expected.dims[expected.rank++] = n;
    return expected == y ? Status::Ok() : misfit();
  }

  // Which matrices of a and b the matrix `index` of the output is made of.
  void operands(int64_t index, int64_t* a, int64_t* b) const {
    *a = *b = 0;
    for (int i = axes - 1; i >= 0; --i) {
      const int64_t at = index % sizes[i];
      index /= sizes[i];
      *a += at * a_steps[i];
      *b += at * b_steps[i];
    }
  }
};

}  // namespace octavo::ops
