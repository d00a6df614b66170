// What is known of a plan without sizes: who writes and last reads each tensor, and in which segments it runs.
#pragma once

#include <vector>

#include "engine/plan.h"

namespace octavo {

// Steps [begin, end) that are bound together: a size that comes from a step of one is known in the next.
struct Segment {
  int32_t begin = 0, end = 0;
};

struct Schedule {
  std::vector<Segment> segments;
  std::vector<int32_t> producer;  // by tensor: the step that writes it, or -1
  std::vector<int32_t> last_use;  // by root tensor: the last step that touches it; INT32_MAX for outputs of the plan
  std::vector<int32_t> symbols_before;            // read from inputs and constants, before the first step
  std::vector<std::vector<int32_t>> reads_after;  // by step: symbols whose values are read when it has run
};

// folded: by step, those that ran at load.
Status make_schedule(const Plan& plan, const std::vector<char>& folded, Schedule* schedule);

}  // namespace octavo
