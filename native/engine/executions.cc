#include "engine/executions.h"

#include <algorithm>
#include <new>

namespace octavo {
namespace {

bool writes_states(const Plan& plan) {
  StateStore::Access access;
  return uses_states(plan, &access) && access == StateStore::Access::kWrite;
}

}  // namespace

Lane::Lane(std::shared_ptr<const Program> program, std::shared_ptr<StateStore> states, int threads)
    : program_(std::move(program)),
      states_(uses_states(program_->plan(), &access_) ? std::move(states) : nullptr),
      pool_(threads) {}

Status Lane::prepare() noexcept {
  if (execution_ != nullptr) return Status::Ok();
  try {
    auto made = std::make_unique<Execution>(program_, states_);
    OCTAVO_RETURN_IF_ERROR(made->prepare());
    execution_ = std::move(made);
    return Status::Ok();
  } catch (const std::bad_alloc&) {
    return Status::Error(Code::kOutOfMemory, "out of memory");
  }
}

Status Lane::run(const std::vector<TensorView>& inputs, const std::atomic<bool>& cancelled, bool profiling) noexcept {
  try {
    OCTAVO_RETURN_IF_ERROR(prepare());
    execution_->set_profiling(profiling);
    const StateStore::Turn turn(states_.get(), access_);
    const RunInFlight in_flight;
    return execution_->run(inputs, {}, pool_, cancelled);
  } catch (const std::bad_alloc&) {
    return Status::Error(Code::kOutOfMemory, "out of memory");
  } catch (const std::exception& e) {
    return Status::Error(Code::kInvalidPlan, e.what());
  }
}

Executions::Executions(std::shared_ptr<const Program> program, std::shared_ptr<StateStore> states, int threads,
                       int most)
    : program_(std::move(program)),
      states_(std::move(states)),
      threads_(threads),
      most_(writes_states(program_->plan()) ? 1 : std::max(1, most)) {}

std::shared_ptr<Lane> Executions::take() {
  if (!idle_.empty()) {
    std::shared_ptr<Lane> lane = std::move(idle_.back());
    idle_.pop_back();
    return lane;
  }
  if (made_ >= most_) return nullptr;
  auto lane = std::make_shared<Lane>(program_, states_, threads_);
  ++made_;
  return lane;
}

void Executions::give_back(std::shared_ptr<Lane> lane) {
  const size_t bytes = lane->execution_ == nullptr ? 0 : lane->execution_->arena_bytes();
  arena_bytes_ += bytes - lane->counted_;
  lane->counted_ = bytes;
  idle_.push_back(std::move(lane));
}

}  // namespace octavo
