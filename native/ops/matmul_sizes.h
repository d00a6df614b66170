// Sizes of a batched matrix product with numpy broadcasting of the leading axes.
#pragma once

#include <vector>

#include "ops/op_support.h"

namespace octavo {

struct MatMulSizes {
  int64_t m = 0, n = 0, k = 0;
  int64_t a_batches = 1, b_batches = 1, batches = 1;
  std::vector<size_t> a_of, b_of;  // [batches]: which matrix of a and of b; filled by bind

  Status bind(const BindContext& c, int a_input, int b_input, bool trans_a, bool trans_b);
};

}  // namespace octavo
