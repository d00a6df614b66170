#include "ops/product/matmul_sizes.h"

#include <algorithm>

namespace octavo {
namespace {

// A tensor with its axes in the order of the product.
struct View {
  Shape shape;
  int64_t strides[kMaxRank] = {};

  // False: perm is not a permutation of the axes.
  bool read(const Shape& tensor, const std::vector<int64_t>& perm, bool inverse) {
    shape = tensor;
    ops::dense_strides(tensor, strides);
    if (perm.empty()) return true;
    if (static_cast<int>(perm.size()) != tensor.rank) return false;
    int64_t lies[kMaxRank];
    std::copy_n(strides, tensor.rank, lies);
    bool seen[kMaxRank] = {};
    for (int i = 0; i < tensor.rank; ++i) {
      const int64_t axis = perm[static_cast<size_t>(i)];
      if (axis < 0 || axis >= tensor.rank || seen[axis]) return false;
      seen[axis] = true;
      const int to = inverse ? static_cast<int>(axis) : i, from = inverse ? i : static_cast<int>(axis);
      shape.dims[to] = tensor[from];
      strides[to] = lies[from];
    }
    return true;
  }

  // The first elements of all matrices, the batch axes in order.
  std::vector<size_t> matrices(int64_t count) const {
    std::vector<size_t> first(static_cast<size_t>(count));
    for (int64_t matrix = 0; matrix < count; ++matrix) {
      int64_t rest = matrix, at = 0;
      for (int i = shape.rank - 3; i >= 0; --i) {
        at += rest % shape[i] * strides[i];
        rest /= shape[i];
      }
      first[static_cast<size_t>(matrix)] = static_cast<size_t>(at);
    }
    return first;
  }
  size_t stride(int from_end) const { return static_cast<size_t>(strides[shape.rank - from_end]); }
};

}  // namespace

void MatMulAttributes::load(const LoadContext& c) {
  trans_a = c.integer("trans_a", 0) != 0;
  trans_b = c.integer("trans_b", 0) != 0;
  perm_a = c.integers("perm_a");
  perm_b = c.integers("perm_b");
  perm_y = c.integers("perm_y");
}

Status MatMulSizes::bind(const BindContext& c, int a_input, int b_input, const MatMulAttributes& attributes) {
  const bool trans_a = attributes.trans_a, trans_b = attributes.trans_b;
  View va, vb, vy;
  if (!va.read(c.in(a_input), attributes.perm_a, false) || !vb.read(c.in(b_input), attributes.perm_b, false) ||
      !vy.read(c.out(0), attributes.perm_y, true))
    return c.error(Code::kInvalidPlan, "perm_a, perm_b or perm_y is not a permutation");
  const Shape &a = va.shape, &b = vb.shape, &y = vy.shape;
  const auto wrong = [&] {
    return c.error(Code::kShape, "a " + ops::dims_text(a) + (trans_a ? " transposed" : "") + " times b " +
                                     ops::dims_text(b) + (trans_b ? " transposed" : "") + " does not give " +
                                     ops::dims_text(y));
  };
  if (a.rank < 2 || b.rank < 2 || y.rank != std::max(a.rank, b.rank)) return wrong();
  m = a[a.rank - (trans_a ? 1 : 2)];
  k = a[a.rank - (trans_a ? 2 : 1)];
  n = b[b.rank - (trans_b ? 2 : 1)];
  if (b[b.rank - (trans_b ? 1 : 2)] != k || y[y.rank - 2] != m || y[y.rank - 1] != n) return wrong();
  a_row = va.stride(trans_a ? 1 : 2);
  a_k = va.stride(trans_a ? 2 : 1);
  b_k = vb.stride(trans_b ? 1 : 2);
  b_n = vb.stride(trans_b ? 2 : 1);
  y_row = vy.stride(2);
  if (vy.stride(1) != 1) return c.error(Code::kInvalidPlan, "perm_y moves the last axis");

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
  a_at = va.matrices(a_batches);
  b_at = vb.matrices(b_batches);
  y_at = vy.matrices(batches);
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
