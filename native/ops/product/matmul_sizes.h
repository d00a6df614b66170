// Sizes of a batched matrix product with numpy broadcasting of the leading axes, and where its matrices lie: a and b
// may be read, and y written, as through a Transpose (perm_a, perm_b, perm_y: axis i of the product is axis perm[i] of
// the tensor; of y the other way around), so that heads of attention are never moved.
#pragma once

#include <vector>

#include "ops/support/op_support.h"

namespace octavo {

struct MatMulAttributes {
  bool trans_a = false, trans_b = false;
  std::vector<int64_t> perm_a, perm_b, perm_y;  // empty: as they lie

  void load(const LoadContext& c);
};

struct MatMulSizes {
  int64_t m = 0, n = 0, k = 0;
  int64_t a_batches = 1, b_batches = 1, batches = 1;
  std::vector<size_t> a_of, b_of;        // [batches]: which matrix of a and of b
  std::vector<size_t> a_at, b_at, y_at;  // [a_batches], [b_batches], [batches]: the first element of a matrix
  // Elements from one row (column) of a matrix to the next; columns of y lie together.
  size_t a_row = 0, a_k = 0, b_k = 0, b_n = 0, y_row = 0;

  Status bind(const BindContext& c, int a_input, int b_input, const MatMulAttributes& attributes);
};

}  // namespace octavo
