#include "engine/binding.h"

#include <algorithm>

#include "engine/arena.h"
#include "engine/memory.h"
#include "engine/step_context.h"

namespace octavo {
namespace {

bool provided(const Plan& plan, int32_t tensor) {
  return plan.tensors[static_cast<size_t>(tensor)].kind == TensorKind::kProvided;
}

// True if running the step could only write nothing.
bool writes_nothing(const Plan& plan, const PlanStep& step, const std::vector<Shape>& shapes) {
  for (int32_t i : step.outputs) {
    if (i < 0) continue;
    const TensorKind kind = plan.tensors[static_cast<size_t>(i)].kind;
    if (kind == TensorKind::kState || kind == TensorKind::kProvided) return false;
    if (shapes[static_cast<size_t>(i)].elements() != 0) return false;
  }
  return !step.outputs.empty();
}

Status step_shapes(const Program& program, const PlanStep& step, const Sizes& sizes, std::vector<Shape>& shapes) {
  const Plan& plan = program.plan();
  const size_t limit = program.limits().max_tensor_bytes;
  for (int32_t i : step.inputs) {
    if (i < 0 || provided(plan, i)) continue;  // what a step provided has the sizes it was given
    Shape& shape = shapes[static_cast<size_t>(i)];
    OCTAVO_RETURN_IF_ERROR(sizes.shape_of(i, limit, &shape));
    const int32_t root = plan.root(i);
    if (root != i && shape.elements() != shapes[static_cast<size_t>(root)].elements()) {
      return Status::Error(Code::kShape, describe_step(plan, step) + ": " + plan.tensor_name(i) + " has sizes " +
                                             format_shape(shape) + ", its storage " +
                                             format_shape(shapes[static_cast<size_t>(root)]));
    }
  }
  for (int32_t i : step.outputs) {
    if (i < 0) continue;
    Shape& shape = shapes[static_cast<size_t>(i)];
    if (!provided(plan, i)) {
      OCTAVO_RETURN_IF_ERROR(sizes.shape_of(i, limit, &shape));
      continue;
    }
    const PlanTensor& t = plan.tensors[static_cast<size_t>(i)];
    shape.rank = static_cast<int>(t.dims.size());
    for (int d = 0; d < shape.rank; ++d) {
      const int32_t e = t.dims[static_cast<size_t>(d)];
      shape.dims[d] = sizes.known(e) ? sizes.value(e) : -1;
    }
  }
  return Status::Ok();
}

}  // namespace

Status segment_shapes(const Program& program, int32_t segment, const Sizes& sizes, std::vector<Shape>& shapes,
                      int32_t* step) {
  const Segment& range = program.schedule().segments[static_cast<size_t>(segment)];
  for (int32_t k = range.begin; k < range.end; ++k) {
    if (program.steps()[static_cast<size_t>(k)].folded) continue;
    *step = k;
    OCTAVO_RETURN_IF_ERROR(step_shapes(program, program.plan().steps[static_cast<size_t>(k)], sizes, shapes));
  }
  *step = -1;
  return Status::Ok();
}

Status bind_segment(const Program& program, int32_t segment, const Sizes& sizes, std::vector<Shape>& shapes,
                    int threads, std::unique_ptr<Binding>* result, int32_t* failed_step) {
  const Plan& plan = program.plan();
  const Segment& range = program.schedule().segments[static_cast<size_t>(segment)];
  auto binding = std::make_unique<Binding>();
  binding->key = sizes.symbols();
  OCTAVO_RETURN_IF_ERROR(segment_shapes(program, segment, sizes, shapes, failed_step));

  std::vector<Lifetime> blocks;
  struct Scratch {
    size_t step, shared_block, thread_block;
  };
  std::vector<Scratch> scratch;
  constexpr size_t kNone = SIZE_MAX;
  for (int32_t k = range.begin; k < range.end; ++k) {
    if (program.steps()[static_cast<size_t>(k)].folded) continue;
    *failed_step = k;
    const PlanStep& step = plan.steps[static_cast<size_t>(k)];
    for (int32_t i : step.outputs) {
      if (i < 0) continue;
      const PlanTensor& t = plan.tensors[static_cast<size_t>(i)];
      if (t.kind != TensorKind::kScratch && t.kind != TensorKind::kOutput) continue;
      Lifetime block;
      if (!tensor_bytes(t.dtype, shapes[static_cast<size_t>(i)], program.limits().max_tensor_bytes, &block.bytes))
        return Status::Error(Code::kLimit, "tensor " + plan.tensor_name(i) + " is above the limit");
      block.first = k;
      block.last = std::min(program.schedule().last_use[static_cast<size_t>(i)], range.end);
      binding->places.push_back({i, blocks.size()});  // the offset, once known
      blocks.push_back(block);
    }
    BoundStep bound_step;
    bound_step.step = k;
    if (!writes_nothing(plan, step, shapes)) {
      StepBindContext context(plan, step, sizes, shapes, threads);
      OCTAVO_RETURN_IF_ERROR(program.steps()[static_cast<size_t>(k)].op->bind(context, &bound_step.bound));
      OCTAVO_RETURN_IF_ERROR(context.attributes_status());
      if (bound_step.bound == nullptr) return context.error(Code::kInvalidPlan, "bound nothing");
      if (context.thread_bytes() > SIZE_MAX / 4 / static_cast<size_t>(threads))
        return context.error(Code::kLimit, "scratch memory above the address space");
      Scratch used{binding->steps.size(), kNone, kNone};
      if (context.shared_bytes() != 0) {
        used.shared_block = blocks.size();
        blocks.push_back({context.shared_bytes(), k, k});
      }
      if (context.thread_bytes() != 0) {
        bound_step.thread_stride = align_up(context.thread_bytes() + kReadSlack);
        used.thread_block = blocks.size();
        blocks.push_back({bound_step.thread_stride * static_cast<size_t>(threads), k, k});
      }
      if (used.shared_block != kNone || used.thread_block != kNone) scratch.push_back(used);
    }
    binding->steps.push_back(std::move(bound_step));
  }
  *failed_step = -1;
  OCTAVO_RETURN_IF_ERROR(lay_out(blocks, &binding->arena_bytes));
  for (Binding::Place& place : binding->places) place.offset = blocks[place.offset].offset;
  for (const Scratch& used : scratch) {
    BoundStep& step = binding->steps[used.step];
    if (used.shared_block != kNone) step.shared_offset = blocks[used.shared_block].offset;
    if (used.thread_block != kNone) step.thread_offset = blocks[used.thread_block].offset;
  }
  *result = std::move(binding);
  return Status::Ok();
}

Binding* BindingCache::find(const std::vector<int64_t>& key) {
  for (auto at = recent_.begin(); at != recent_.end(); ++at) {
    if ((*at)->key != key) continue;
    recent_.splice(recent_.begin(), recent_, at);
    return recent_.front().get();
  }
  return nullptr;
}

Binding* BindingCache::add(std::unique_ptr<Binding> binding) {
  if (recent_.size() >= kKept) recent_.pop_back();
  recent_.push_front(std::move(binding));
  return recent_.front().get();
}

}  // namespace octavo
