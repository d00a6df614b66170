// Where the tensors of a segment lie in one block: those that live at the same time do not overlap.
#pragma once

#include <vector>

#include "engine/status.h"
#include "engine/tensor.h"

namespace octavo {

struct Lifetime {
  size_t bytes = 0;   // without slack
  int32_t first = 0;  // step that writes it
  int32_t last = 0;   // last step that reads it
  size_t offset = 0;  // result: multiple of kAlignment
};

// Greedy by size, each block in the smallest gap that holds it (Pisarchyk and Lee, "Efficient memory management for
// deep neural net inference", 2020). kReadSlack readable bytes follow every block. kLimit when the sum overflows.
Status lay_out(std::vector<Lifetime>& blocks, size_t* total);

}  // namespace octavo
