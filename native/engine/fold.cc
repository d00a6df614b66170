#include "engine/fold.h"

#include "engine/pool.h"
#include "engine/step_context.h"

namespace octavo {
namespace {

Status out_of_memory() { return Status::Error(Code::kOutOfMemory, "out of memory while computing constants"); }

}  // namespace

Status fold_step(const Plan& plan, const PlanStep& step, const Op& op, const Sizes& sizes,
                 const std::vector<TensorSpec>& specs, const Limits& limits, const std::atomic<bool>& cancelled,
                 FoldTables& tables, std::vector<std::shared_ptr<Memory>>* results) {
  std::vector<Shape>& shapes = tables.shapes;
  std::vector<void*>& storage = tables.storage;
  // Operators may read past the end of a buffer and need aligned elements; the caller's bytes offer neither.
  std::vector<Memory> inputs(step.inputs.size());
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const int32_t tensor = step.inputs[i];
    if (tensor < 0) continue;
    const TensorSpec& spec = specs[static_cast<size_t>(tensor)];
    if (!inputs[i].allocate(spec.byte_length)) return out_of_memory();
    if (spec.byte_length != 0) std::memcpy(inputs[i].data(), spec.data, spec.byte_length);
    shapes[static_cast<size_t>(tensor)] = spec.shape;
    storage[static_cast<size_t>(tensor)] = inputs[i].data();
  }
  results->assign(step.outputs.size(), nullptr);
  bool empty = true;
  for (size_t i = 0; i < step.outputs.size(); ++i) {
    const int32_t tensor = step.outputs[i];
    if (tensor < 0) continue;
    Shape& shape = shapes[static_cast<size_t>(tensor)];
    OCTAVO_RETURN_IF_ERROR(sizes.shape_of(tensor, limits.max_tensor_bytes, &shape));
    size_t bytes = 0;
    if (!tensor_bytes(plan.tensors[static_cast<size_t>(tensor)].dtype, shape, limits.max_tensor_bytes, &bytes))
      return Status::Error(Code::kLimit, "a constant above the limit");
    (*results)[i] = std::make_shared<Memory>();
    if (!(*results)[i]->allocate(bytes)) return out_of_memory();
    storage[static_cast<size_t>(tensor)] = (*results)[i]->data();
    empty = empty && bytes == 0;
  }
  if (empty) return Status::Ok();

  PoolView pool(1);
  StepBindContext bind(plan, step, sizes, shapes, pool.threads());
  std::unique_ptr<Bound> bound;
  OCTAVO_RETURN_IF_ERROR(op.bind(bind, &bound));
  OCTAVO_RETURN_IF_ERROR(bind.attributes_status());
  Memory shared, per_thread;
  if (!shared.allocate(bind.shared_bytes()) || !per_thread.allocate(bind.thread_bytes())) return out_of_memory();
  StepRunContext run(plan, step, storage.data(), tables.roots.data(), shared.data(), per_thread.data(), 0, pool,
                     cancelled, nullptr);
  return bound->run(run);
}

}  // namespace octavo
