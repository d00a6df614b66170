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

// Tables by tensor, made once per plan and used by one step after the other.
struct FoldTables {
  explicit FoldTables(size_t tensors) : shapes(tensors), roots(tensors), storage(tensors, nullptr) {
    // At load every tensor has storage of its own, aliases too.
    for (size_t i = 0; i < tensors; ++i) roots[i] = static_cast<int32_t>(i);
  }
  std::vector<Shape> shapes;
  std::vector<int32_t> roots;
  std::vector<void*> storage;
};

// specs: by tensor; inputs of the step have data. results: one per output slot, null where absent.
Status fold_step(const Plan& plan, const PlanStep& step, const Op& op, const Sizes& sizes,
                 const std::vector<TensorSpec>& specs, const Limits& limits, const std::atomic<bool>& cancelled,
                 FoldTables& tables, std::vector<std::shared_ptr<Memory>>* results);

}  // namespace octavo
