#include "ops/matmul_sizes.h"

#include <algorithm>

namespace octavo {

Status MatMulSizes::bind(const BindContext& c, int a_input, int b_input, bool trans_a, bool trans_b) {
  const Shape &a = c.in(a_input), &b = c.in(b_input), &y = c.out(0);
  const auto wrong = [&] {
    return c.error(Code::kShape, "a " + ops::dims_text(a) + (trans_a ? " transposed" : "") + " times b " + ops::dims_text(b) +
                                     (trans_b ? " transposed" : "") + " does not give " + ops::dims_text(y));
  };
  if (a.rank < 2 || b.rank < 2 || y.rank != std::max(a.rank, b.rank)) return wrong();
  m = a[a.rank - (trans_a ? 1 : 2)];
  k = a[a.rank - (trans_a ? 2 : 1)];
  n = b[b.rank - (trans_b ? 2 : 1)];
  if (b[b.rank - (trans_b ? 1 : 2)] != k || y[y.rank - 2] != m || y[y.rank - 1] != n) return wrong();

  const int axes = y.rank - 2;
  int64_t a_stride[kMaxRank] = {}, b_stride[kMaxRank] = {};
  a_batches = b_batches = batches = 1;
  for (int i = axes - 1; i >= 0; --i) {
    const int ia = i - (y.rank - a.rank), ib = i - (y.rank - b.rank);
    const int64_t da = ia < 0 ? 1 : a[ia], db = ib < 0 ? 1 : b[ib];
    if ((da != y[i] && da != 1) || (db != y[i] && db != 1) || (da == 1 && db == 1 && y[i] != 1)) return wrong();
    a_stride[i] = da == 1 ? 0 : a_batches;
    b_stride[i] = db == 1 ? 0 : b_batches;
    a_batches *= da;
    b_batches *= db;
    if (__builtin_mul_overflow(batches, y[i], &batches)) return wrong();
  }
  a_of.assign(static_cast<size_t>(batches), 0);
  b_of.assign(static_cast<size_t>(batches), 0);
  for (int64_t batch = 0; batch < batches; ++batch) {
    int64_t rest = batch, ia = 0, ib = 0;
    for (int i = axes - 1; i >= 0; --i) {
      const int64_t at = rest % y[i];
      rest /= y[i];
      ia += at * a_stride[i];
      ib += at * b_stride[i];
    }
    a_of[static_cast<size_t>(batch)] = static_cast<size_t>(ia);
    b_of[static_cast<size_t>(batch)] = static_cast<size_t>(ib);
  }
  return Status::Ok();
}

}  // namespace octavo
