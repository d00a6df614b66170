// Runs one step at load, over constants.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "engine/evaluate.h"
#include "engine/memory.h"
#include "engine/op.h"
#include "engine/program.h"

namespace octavo {

// specs: by tensor; inputs of the step have data. results: one per output slot, null where absent.
Status fold_step(const Plan& plan, const PlanStep& step, const Op& op, const Sizes& sizes, const std::vector<TensorSpec>& specs,
                 const Limits& limits, const std::atomic<bool>& cancelled, std::vector<std::shared_ptr<Memory>>* results);

}  // namespace octavo
