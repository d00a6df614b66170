#include "engine/execution.h"

#include <unistd.h>

#include <chrono>
#include <cstring>

namespace octavo {
namespace {

// Memory that a request beyond what the machine has would only be granted on paper.
size_t physical_memory() {
  static const size_t bytes = [] {
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? static_cast<size_t>(pages) * static_cast<size_t>(page) : SIZE_MAX / 4;
  }();
  return bytes;
}

template <class T>
int64_t element(const void* data, int64_t index) {
  T value;
  std::memcpy(&value, static_cast<const uint8_t*>(data) + static_cast<size_t>(index) * sizeof(T), sizeof(T));
  return static_cast<int64_t>(value);
}

int64_t read_integer(DType type, const void* data, int64_t index) {
  switch (type) {
    case DType::kInt64: return element<int64_t>(data, index);
    case DType::kUint64: return element<uint64_t>(data, index);
    case DType::kInt32: return element<int32_t>(data, index);
    case DType::kUint32: return element<uint32_t>(data, index);
    case DType::kInt16: return element<int16_t>(data, index);
    case DType::kUint16: return element<uint16_t>(data, index);
    case DType::kInt8: return element<int8_t>(data, index);
    default: return element<uint8_t>(data, index);
  }
}

int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Execution::Execution(std::shared_ptr<const Program> program, std::shared_ptr<StateStore> states)
    : program_(std::move(program)),
      states_(std::move(states)),
      sizes_(program_->plan()),
      bindings_(program_->schedule().segments.size()),
      shaped_(program_->schedule().segments.size()),
      arenas_(program_->schedule().segments.size()) {
  const size_t tensors = program_->plan().tensors.size();
  shapes_.resize(tensors);
  storage_.resize(tensors, nullptr);
  roots_.resize(tensors);
  for (size_t i = 0; i < tensors; ++i) {
    roots_[i] = program_->plan().root(static_cast<int32_t>(i));
    const Constant& constant = program_->constant(static_cast<int32_t>(i));
    shapes_[i] = constant.shape;
    if (constant.memory != nullptr) storage_[i] = constant.memory->data();
  }
}

Status Execution::prepare() {
  for (size_t i = 0; i < roots_.size(); ++i) {
    const int32_t index = static_cast<int32_t>(i);
    if (tensor(index).kind != TensorKind::kState) continue;
    const std::string& name = program_->plan().tensor_name(index);
    OCTAVO_RETURN_IF_ERROR(sizes_.shape_of(index, program_->limits().max_tensor_bytes, &shapes_[i]));
    State* const state = states_ == nullptr ? nullptr : states_->find(name);
    if (state == nullptr || state->dtype != tensor(index).dtype || !(state->shape == shapes_[i]))
      return Status::Error(Code::kInvalidPlan, "no such state: '" + name + "'");
    storage_[i] = state->memory.data();
  }
  return Status::Ok();
}

Status Execution::use_states(const std::shared_ptr<StateStore>& states) {
  if (states == states_) return Status::Ok();
  states_ = states;
  return prepare();
}

Status Execution::run(const std::vector<TensorView>& inputs, const std::vector<int64_t>& outer, ThreadPool& pool,
                      const std::atomic<bool>& cancelled) {
  failed_step_ = -1;
  if (pool.threads() != threads_) {
    for (BindingCache& cache : bindings_) cache = BindingCache();
    shaped_.assign(shaped_.size(), nullptr);
    threads_ = pool.threads();
  }
  if (profiling_) nanoseconds_.assign(program_->steps().size(), 0);
  OCTAVO_RETURN_IF_ERROR(accept_inputs(inputs, outer));
  for (int32_t symbol : program_->schedule().symbols_before) OCTAVO_RETURN_IF_ERROR(read_symbol(symbol));
  for (size_t segment = 0; segment < program_->schedule().segments.size(); ++segment)
    OCTAVO_RETURN_IF_ERROR(run_segment(static_cast<int32_t>(segment), pool, cancelled));
  failed_step_ = -1;
  return finish_outputs();
}

Status Execution::accept_inputs(const std::vector<TensorView>& inputs, const std::vector<int64_t>& outer) {
  const Plan& plan = program_->plan();
  if (inputs.size() != plan.inputs.size())
    return Status::Error(Code::kShape, "expected " + std::to_string(plan.inputs.size()) + " inputs, got " +
                                           std::to_string(inputs.size()));
  sizes_.forget();
  for (size_t s = 0; s < plan.symbols.size(); ++s) {
    if (plan.symbols[s].source != SourceKind::kOuter) continue;
    const size_t index = static_cast<size_t>(plan.symbols[s].a);
    if (index >= outer.size())
      return Status::Error(Code::kInvalidPlan, "expected more than " + std::to_string(index) +
                                                   " values of outer symbols, got " + std::to_string(outer.size()));
    sizes_.set(static_cast<int32_t>(s), outer[index]);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const PlanTensor& t = tensor(plan.inputs[i]);
    const TensorView& view = inputs[i];
    const auto name = [&] { return "input '" + plan.tensor_name(plan.inputs[i]) + "'"; };
    if (view.dtype != t.dtype)
      return Status::Error(Code::kShape,
                           name() + ": expected " + dtype_name(t.dtype) + ", got " + dtype_name(view.dtype));
    if (view.shape.rank != static_cast<int>(t.dims.size()))
      return Status::Error(Code::kShape, name() + ": expected rank " + std::to_string(t.dims.size()) + ", got " +
                                             format_shape(view.shape));
    for (int d = 0; d < view.shape.rank; ++d) {
      const Expr& e = plan.expressions[static_cast<size_t>(t.dims[static_cast<size_t>(d)])];
      if (e.kind == ExprKind::kSymbol && plan.symbols[static_cast<size_t>(e.a)].source == SourceKind::kInput &&
          !sizes_.known_symbol(e.a))
        sizes_.set(e.a, view.shape[d]);
    }
  }
  sizes_.evaluate();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const int32_t index = plan.inputs[i];
    Shape& shape = shapes_[static_cast<size_t>(index)];
    OCTAVO_RETURN_IF_ERROR(sizes_.shape_of(index, program_->limits().max_tensor_bytes, &shape));
    if (!(shape == inputs[i].shape))
      return Status::Error(Code::kShape, "input '" + plan.tensor_name(index) + "': expected " + format_shape(shape) +
                                             ", got " + format_shape(inputs[i].shape));
    storage_[static_cast<size_t>(index)] = const_cast<void*>(inputs[i].data);
  }
  return Status::Ok();
}

Status Execution::bind(int32_t segment, int threads, Binding** binding) {
  BindingCache& cache = bindings_[static_cast<size_t>(segment)];
  const Binding*& shaped = shaped_[static_cast<size_t>(segment)];
  *binding = cache.find(sizes_.symbols());
  if (*binding == nullptr) {
    shaped = nullptr;
    std::unique_ptr<Binding> made;
    OCTAVO_RETURN_IF_ERROR(bind_segment(*program_, segment, sizes_, shapes_, threads, &made, &failed_step_));
    *binding = cache.add(std::move(made));
  } else if (*binding != shaped) {
    shaped = nullptr;
    OCTAVO_RETURN_IF_ERROR(segment_shapes(*program_, segment, sizes_, shapes_, &failed_step_));
  }
  shaped = *binding;
  const size_t need = (*binding)->arena_bytes;
  Memory& arena = arenas_[static_cast<size_t>(segment)];
  if (arena.data() == nullptr || arena.size() < need) {
    if (need > physical_memory())
      return Status::Error(Code::kLimit,
                           "these sizes need " + std::to_string(need) + " bytes, more than the memory of this machine");
    if (!arena.allocate(need))
      return Status::Error(Code::kOutOfMemory,
                           "no memory for " + std::to_string(need) + " bytes of intermediate tensors");
  }
  return Status::Ok();
}

Status Execution::run_segment(int32_t segment, ThreadPool& pool, const std::atomic<bool>& cancelled) {
  const Plan& plan = program_->plan();
  Binding* binding = nullptr;
  OCTAVO_RETURN_IF_ERROR(bind(segment, pool.threads(), &binding));
  uint8_t* const arena = arenas_[static_cast<size_t>(segment)].data();
  for (const Binding::Place& place : binding->places)
    storage_[static_cast<size_t>(place.tensor)] = arena + place.offset;
  for (const BoundStep& step : binding->steps) {
    failed_step_ = step.step;
    if (cancelled.load(std::memory_order_relaxed)) return Status::Error(Code::kCancelled, "cancelled");
    const PlanStep& plan_step = plan.steps[static_cast<size_t>(step.step)];
    if (step.bound != nullptr) {
      for (int32_t i : plan_step.outputs)
        if (i >= 0 && tensor(i).kind == TensorKind::kProvided) storage_[static_cast<size_t>(i)] = nullptr;
      StepRunContext context(plan, plan_step, storage_.data(), roots_.data(), arena + step.shared_offset,
                             arena + step.thread_offset, step.thread_stride, pool, cancelled, this);
      const int64_t begin = profiling_ ? now() : 0;
      OCTAVO_RETURN_IF_ERROR(step.bound->run(context));
      if (profiling_) nanoseconds_[static_cast<size_t>(step.step)] = now() - begin;
      for (int32_t i : plan_step.outputs)
        if (i >= 0 && tensor(i).kind == TensorKind::kProvided && storage_[static_cast<size_t>(i)] == nullptr)
          return context.error(Code::kInvalidPlan, "did not provide " + plan.tensor_name(i));
    }
    for (int32_t symbol : program_->schedule().reads_after[static_cast<size_t>(step.step)])
      OCTAVO_RETURN_IF_ERROR(read_symbol(symbol));
  }
  if (cancelled.load(std::memory_order_relaxed)) return Status::Error(Code::kCancelled, "cancelled");
  sizes_.evaluate();
  return Status::Ok();
}

Status Execution::read_symbol(int32_t index) {
  const Plan& plan = program_->plan();
  const PlanSymbol& symbol = plan.symbols[static_cast<size_t>(index)];
  const PlanTensor& t = tensor(symbol.a);
  if (symbol.source == SourceKind::kDim) {
    sizes_.set(index, shapes_[static_cast<size_t>(symbol.a)][symbol.b]);
  } else {
    // The root has the same bytes, and its sizes are always known here.
    const int32_t root = roots_[static_cast<size_t>(symbol.a)];
    const void* data = storage_[static_cast<size_t>(root)];
    if (data == nullptr || symbol.b >= shapes_[static_cast<size_t>(root)].elements()) {
      return Status::Error(Code::kShape, "size " + plan.strings[static_cast<size_t>(symbol.name)] + " is element " +
                                             std::to_string(symbol.b) + " of " + plan.tensor_name(symbol.a) +
                                             ", which has " +
                                             std::to_string(shapes_[static_cast<size_t>(root)].elements()));
    }
    sizes_.set(index, read_integer(t.dtype, data, symbol.b));
  }
  sizes_.evaluate();
  return Status::Ok();
}

Status Execution::provide(int32_t index, const Shape& shape, const void* data) {
  const Plan& plan = program_->plan();
  const PlanTensor& t = tensor(index);
  const auto name = [&] { return "tensor " + plan.tensor_name(index); };
  if (shape.rank != static_cast<int>(t.dims.size()))
    return Status::Error(Code::kShape,
                         name() + ": expected rank " + std::to_string(t.dims.size()) + ", got " + format_shape(shape));
  for (int d = 0; d < shape.rank; ++d) {
    const int32_t e = t.dims[static_cast<size_t>(d)];
    if (sizes_.known(e) && sizes_.value(e) != shape[d])
      return Status::Error(Code::kShape, name() + ": expected size " + std::to_string(sizes_.value(e)) + " of axis " +
                                             std::to_string(d) + ", got " + format_shape(shape));
  }
  size_t bytes;
  if (!tensor_bytes(t.dtype, shape, program_->limits().max_tensor_bytes, &bytes))
    return Status::Error(Code::kLimit, name() + ": " + format_shape(shape) + " is larger than the limit");
  if (data == nullptr) return Status::Error(Code::kInvalidPlan, name() + ": provided without storage");
  shapes_[static_cast<size_t>(index)] = shape;
  storage_[static_cast<size_t>(index)] = const_cast<void*>(data);
  return Status::Ok();
}

Status Execution::finish_outputs() {
  for (int32_t i : program_->plan().outputs) {
    if (tensor(i).kind == TensorKind::kProvided) continue;
    Shape& shape = shapes_[static_cast<size_t>(i)];
    OCTAVO_RETURN_IF_ERROR(sizes_.shape_of(i, program_->limits().max_tensor_bytes, &shape));
    // An alias nobody reads has not been compared with its bytes by any operator.
    const int32_t root = roots_[static_cast<size_t>(i)];
    if (root != i && shape.elements() != shapes_[static_cast<size_t>(root)].elements())
      return Status::Error(Code::kShape, "output " + program_->plan().tensor_name(i) + ": " + format_shape(shape) +
                                             " of the elements of " + format_shape(shapes_[static_cast<size_t>(root)]));
  }
  return Status::Ok();
}

TensorView Execution::output(int i) const {
  const int32_t index = program_->plan().outputs[static_cast<size_t>(i)];
  return {tensor(index).dtype, shapes_[static_cast<size_t>(index)],
          storage_[static_cast<size_t>(roots_[static_cast<size_t>(index)])]};
}

size_t Execution::arena_bytes() const {
  size_t bytes = 0;
  for (const Memory& arena : arenas_) bytes += arena.size();
  return bytes;
}

}  // namespace octavo
