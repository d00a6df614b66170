// A loaded plan: operators created, constants prepacked. Immutable, shared by its executions.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/memory.h"
#include "engine/op.h"
#include "engine/packed_store.h"
#include "engine/plan.h"
#include "engine/schedule.h"

namespace octavo {

struct Limits {
  size_t max_tensor_bytes = sizeof(size_t) == 8 ? size_t{1} << 31 : size_t{1} << 30;
  int64_t max_loop_iterations = int64_t{1} << 31;
};

// A constant that some step reads while running.
struct Constant {
  Shape shape;
  std::shared_ptr<const Memory> memory;
};

// What the program knows of each step, next to the plan's own entry.
struct ProgramStep {
  std::unique_ptr<Op> op;
  bool folded = false;  // ran at load: its outputs are constants
};

class Program {
 public:
  // Parses, checks, creates operators, runs the steps that depend on constants alone. `buffers` are not used
  // after load. `step` is the step that failed, or -1.
  // `pool`: for what operators do with large constants; how many threads it has changes no bit.
  static Status load(const int32_t* words, size_t count, const std::vector<Buffer>& buffers, const Limits& limits,
                     ThreadPool& pool, const std::atomic<bool>& cancelled, std::shared_ptr<const Program>* program,
                     int* step);

  const Plan& plan() const { return *plan_; }
  const Limits& limits() const { return limits_; }
  const std::vector<ProgramStep>& steps() const { return steps_; }
  const Schedule& schedule() const { return schedule_; }
  // Of tensor i (a root); no memory: not constant, or nobody reads it.
  const Constant& constant(int32_t i) const { return constants_[static_cast<size_t>(i)]; }
  int outputs() const { return static_cast<int>(plan_->outputs.size()); }
  bool is_constant(int32_t root) const { return is_constant_[static_cast<size_t>(root)] != 0; }
  // "QConv 'conv1'": for messages.
  std::string step_name(int32_t step) const;
  // Bytes of constants, prepacked ones and nested programs included.
  size_t constant_bytes() const;

 private:
  friend class Loader;
  explicit Program(size_t constant_bytes) : store_(constant_bytes) {}

  std::shared_ptr<const Plan> plan_;
  Limits limits_;
  PackedStore store_;  // of steps_
  std::vector<ProgramStep> steps_;
  Schedule schedule_;
  std::vector<Constant> constants_;
  std::vector<char> is_constant_;
  std::vector<std::shared_ptr<Program>> nested_;
};

}  // namespace octavo
