// The executions of one loaded program: each has an arena and bindings of its own, all share the constants. They are
// made when runs want them. Executions is used by one thread at a time; a lane that it hands out belongs to who took
// it.
#pragma once

#include <memory>
#include <vector>

#include "engine/execution.h"
#include "engine/pool.h"

namespace octavo {

// An execution with its view of the pool: one run at a time, on any thread.
class Lane {
 public:
  Lane(std::shared_ptr<const Program> program, std::shared_ptr<StateStore> states, int threads);

  // Makes the execution where it is not there yet; run does so too.
  Status prepare() noexcept;
  // Waits for its turn of the states, if the program has some.
  Status run(const std::vector<TensorView>& inputs, const std::atomic<bool>& cancelled, bool profiling) noexcept;

  // nullptr before prepare or the first run.
  const Execution* execution() const { return execution_.get(); }
  // Step where the last run failed, or -1.
  int failed_step() const { return execution_ == nullptr ? -1 : execution_->failed_step(); }

 private:
  friend class Executions;
  const std::shared_ptr<const Program> program_;
  StateStore::Access access_ = StateStore::Access::kRead;
  const std::shared_ptr<StateStore> states_;  // nullptr: the program has none
  std::unique_ptr<Execution> execution_;
  PoolView pool_;
  size_t counted_ = 0;  // bytes of the arena that Executions knows of
};

class Executions {
 public:
  // threads: of each run, at most; most: runs that may be under way at once, at least 1. Programs that write states
  // have one, whatever is asked for.
  Executions(std::shared_ptr<const Program> program, std::shared_ptr<StateStore> states, int threads, int most);

  // The idle lane that was used last, a new one while there are fewer than `most`, or nullptr: all are busy.
  std::shared_ptr<Lane> take();
  void give_back(std::shared_ptr<Lane> lane);

  const Program& program() const { return *program_; }
  std::shared_ptr<const Program> shared_program() const { return program_; }
  // Lanes made so far.
  int made() const { return made_; }
  // Bytes of all arenas, each as it was when its lane was given back.
  size_t arena_bytes() const { return arena_bytes_; }

 private:
  const std::shared_ptr<const Program> program_;
  const std::shared_ptr<StateStore> states_;
  const int threads_, most_;
  int made_ = 0;
  size_t arena_bytes_ = 0;
  std::vector<std::shared_ptr<Lane>> idle_;
};

}  // namespace octavo
