// A loaded plan: operators created, constants prepacked. Immutable, shared by its executions.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/memory.h"
#include "engine/op.h"
#include "engine/plan.h"

namespace octavo {

struct Limits {
  size_t max_tensor_bytes = sizeof(size_t) == 8 ? size_t{1} << 33 : size_t{1} << 30;
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
  bool folded = false;               // ran at load: its outputs are constants
  int32_t segment = 0;               // sizes of its tensors are known when this segment begins
  std::vector<int32_t> reads_after;  // symbols whose values are read when it has run
};

struct Segment {
  int32_t begin = 0, end = 0;  // steps
};

class Program {
 public:
  // Parses, checks, creates operators, runs the steps that depend on constants alone. `buffers` are not used
  // after load. `step` is the step that failed, or -1.
  static Status load(const int32_t* words, size_t count, const std::vector<Buffer>& buffers, const Limits& limits,
                     const std::atomic<bool>& cancelled, std::shared_ptr<const Program>* program, int* step);

  const Plan& plan() const { return *plan_; }
  const Limits& limits() const { return limits_; }
  const std::vector<ProgramStep>& steps() const { return steps_; }
  const std::vector<Segment>& segments() const { return segments_; }
  // Of tensor i (a root); no memory: not constant, or nobody reads it.
  const Constant& constant(int32_t i) const { return constants_[static_cast<size_t>(i)]; }
  bool is_constant(int32_t root) const { return is_constant_[static_cast<size_t>(root)] != 0; }
  // Step after which nobody reads the storage of root i; INT32_MAX for outputs of the plan.
  int32_t last_use(int32_t root) const { return last_use_[static_cast<size_t>(root)]; }
  int32_t producer(int32_t root) const { return producer_[static_cast<size_t>(root)]; }  // -1: none
  const std::vector<int32_t>& symbols_before() const { return symbols_before_; }  // data symbols of inputs and constants
  // "QConv 'conv1'": for messages.
  std::string step_name(int32_t step) const;
  // Bytes of constants, prepacked ones and nested programs included.
  size_t constant_bytes() const;

 private:
  friend class Loader;
  Program() = default;

  std::shared_ptr<const Plan> plan_;
  Limits limits_;
  std::vector<ProgramStep> steps_;
  std::vector<Segment> segments_;
  std::vector<Constant> constants_;
  std::vector<char> is_constant_;
  std::vector<int32_t> last_use_, producer_;
  std::vector<int32_t> symbols_before_;
  std::vector<std::shared_ptr<Program>> nested_;
};

}  // namespace octavo
