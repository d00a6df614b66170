#include "engine/state_store.h"

#include <algorithm>
#include <new>

#include "engine/constant_bytes.h"
#include "engine/evaluate.h"

namespace octavo {
namespace {

Status expect_same(const std::string& name, const State& there, DType dtype, const Shape& shape) {
  if (there.dtype == dtype && there.shape == shape) return Status::Ok();
  return Status::Error(Code::kShape, "state '" + name + "' is " + dtype_name(there.dtype) + format_shape(there.shape) +
                                         " in the store, " + dtype_name(dtype) + format_shape(shape) +
                                         " in the program");
}

// What `adopt` adds: by name.
using Added = std::unordered_map<std::string, std::unique_ptr<State>>;

const State* known_state(const StateStore& store, const Added& added, const std::string& name) {
  const auto found = added.find(name);
  return found == added.end() ? store.find(name) : found->second.get();
}

Status add_states(const StateStore& store, const Plan& plan, size_t max_tensor_bytes,
                  const std::vector<Buffer>& buffers, Added* added) {
  const Sizes sizes(plan);
  ConstantBytes first_values(buffers);
  for (size_t i = 0; i < plan.tensors.size(); ++i) {
    const PlanTensor& t = plan.tensors[i];
    if (t.kind != TensorKind::kState) continue;
    const std::string& name = plan.tensor_name(static_cast<int32_t>(i));
    auto state = std::make_unique<State>();
    state->dtype = t.dtype;
    OCTAVO_RETURN_IF_ERROR(sizes.shape_of(static_cast<int32_t>(i), max_tensor_bytes, &state->shape));
    if (const State* there = known_state(store, *added, name)) {
      OCTAVO_RETURN_IF_ERROR(expect_same(name, *there, t.dtype, state->shape));
      continue;
    }
    size_t bytes = 0;
    if (!tensor_bytes(t.dtype, state->shape, max_tensor_bytes, &bytes) || !state->memory.allocate(bytes))
      return Status::Error(Code::kOutOfMemory, "no memory for state '" + name + "'");
    if (t.buffer < 0) {
      if (bytes != 0) std::memset(state->memory.data(), 0, bytes);
    } else {
      const uint8_t* data = nullptr;
      if (buffers[static_cast<size_t>(t.buffer)].size != bytes)
        return Status::Error(Code::kInvalidPlan, "state '" + name + "' has " + std::to_string(bytes) +
                                                     " bytes, its first value " +
                                                     std::to_string(buffers[static_cast<size_t>(t.buffer)].size));
      OCTAVO_RETURN_IF_ERROR(first_values.open(t.buffer, &data));
      if (bytes != 0) std::memcpy(state->memory.data(), data, bytes);
      first_values.drop(t.buffer);
    }
    added->emplace(name, std::move(state));
  }
  for (const PlanStep& step : plan.steps)
    for (const PlanAttribute& a : step.attributes)
      if (a.kind == AttributeKind::kPlan)
        OCTAVO_RETURN_IF_ERROR(add_states(store, *a.plan, max_tensor_bytes, buffers, added));
  return Status::Ok();
}

// Whether a plan has states, those in it included; `writes` becomes true where a step writes one.
bool find_states(const Plan& plan, bool* writes) {
  bool found = false;
  for (const PlanTensor& t : plan.tensors) found = found || t.kind == TensorKind::kState;
  for (const PlanStep& step : plan.steps) {
    for (int32_t i : step.outputs)
      *writes = *writes || (i >= 0 && plan.tensors[static_cast<size_t>(i)].kind == TensorKind::kState);
    for (const PlanAttribute& a : step.attributes)
      if (a.kind == AttributeKind::kPlan) found = find_states(*a.plan, writes) || found;
  }
  return found;
}

}  // namespace

Status StateStore::adopt(const Plan& plan, size_t max_tensor_bytes, const std::vector<Buffer>& buffers) {
  Added added;
  const Turn turn(this, Access::kWrite);
  OCTAVO_RETURN_IF_ERROR(add_states(*this, plan, max_tensor_bytes, buffers, &added));
  Lock lock(mutex_);
  for (auto& [name, state] : added) states_.emplace(name, std::move(state));
  return Status::Ok();
}

std::shared_ptr<StateStore> StateStore::copy() {
  auto made = std::make_shared<StateStore>();
  const Turn turn(this, Access::kRead);
  Lock lock(mutex_);
  for (const auto& [name, state] : states_) {
    auto copied = std::make_unique<State>();
    copied->dtype = state->dtype;
    copied->shape = state->shape;
    const size_t bytes = state->memory.size();
    if (!copied->memory.allocate(bytes)) return nullptr;
    if (bytes != 0) std::memcpy(copied->memory.data(), state->memory.data(), bytes);
    made->states_.emplace(name, std::move(copied));
  }
  return made;
}

State* StateStore::find(const std::string& name) const {
  Lock lock(mutex_);
  const auto found = states_.find(name);
  return found == states_.end() ? nullptr : found->second.get();
}

std::vector<std::string> StateStore::names() const {
  std::vector<std::string> names;
  {
    Lock lock(mutex_);
    for (const auto& [name, state] : states_) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

size_t StateStore::bytes() const {
  Lock lock(mutex_);
  size_t bytes = 0;
  for (const auto& [name, state] : states_) bytes += state->memory.size();
  return bytes;
}

StateStore::Turn::Turn(StateStore* store, Access access) : store_(store), access_(access) {
  if (store_ == nullptr) return;
  Lock lock(store_->mutex_);
  if (access_ == Access::kRead) {
    while (store_->writing_ || store_->writers_waiting_ > 0) store_->changed_.wait(store_->mutex_);
    ++store_->readers_;
  } else {
    ++store_->writers_waiting_;
    while (store_->writing_ || store_->readers_ > 0) store_->changed_.wait(store_->mutex_);
    --store_->writers_waiting_;
    store_->writing_ = true;
  }
}

StateStore::Turn::~Turn() {
  if (store_ == nullptr) return;
  Lock lock(store_->mutex_);
  if (access_ == Access::kRead) --store_->readers_;
  else store_->writing_ = false;
  store_->changed_.wake_all();
}

bool uses_states(const Plan& plan, StateStore::Access* access) {
  bool writes = false;
  const bool found = find_states(plan, &writes);
  *access = writes ? StateStore::Access::kWrite : StateStore::Access::kRead;
  return found;
}

}  // namespace octavo
