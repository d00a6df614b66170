// Runs a program: symbols, bindings, memory and state of one user. One run at a time.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/binding.h"
#include "engine/evaluate.h"
#include "engine/memory.h"
#include "engine/program.h"
#include "engine/state_store.h"
#include "engine/step_context.h"

namespace octavo {

// Storage of an input or output. Inputs have kReadSlack readable bytes past their end and are aligned to 64 bytes.
struct TensorView {
  DType dtype = DType::kFloat32;
  Shape shape;
  const void* data = nullptr;
};

class Execution final : private Provider {
 public:
  // states: of the plan, if it has any (StateStore::adopt). Who runs has a turn of them.
  explicit Execution(std::shared_ptr<const Program> program, std::shared_ptr<StateStore> states = nullptr);

  // Finds the state tensors. Before the first run.
  Status prepare();
  // Of a nested program, before every run: its states are in the store of the program around it.
  Status use_states(const std::shared_ptr<StateStore>& states);
  // inputs: in the order of the plan. outer: values of the symbols of kind `outer`, by their index.
  Status run(const std::vector<TensorView>& inputs, const std::vector<int64_t>& outer, ThreadPool& pool,
             const std::atomic<bool>& cancelled);
  // After a run that succeeded, until the next.
  TensorView output(int i) const;
  const Program& program() const { return *program_; }

  // Step where the last run failed, or -1.
  int failed_step() const { return failed_step_; }
  size_t arena_bytes() const;
  // Nanoseconds per step of the last run while profiling; empty before.
  void set_profiling(bool on) { profiling_ = on; }
  const std::vector<int64_t>& profile() const { return nanoseconds_; }

 private:
  Status provide(int32_t tensor, const Shape& shape, const void* data) override;
  std::shared_ptr<StateStore> states() const override { return states_; }
  Status accept_inputs(const std::vector<TensorView>& inputs, const std::vector<int64_t>& outer);
  Status run_segment(int32_t segment, ThreadPool& pool, const std::atomic<bool>& cancelled);
  Status bind(int32_t segment, int threads, Binding** binding);
  Status read_symbol(int32_t symbol);
  Status finish_outputs();
  const PlanTensor& tensor(int32_t i) const { return program_->plan().tensors[static_cast<size_t>(i)]; }

  std::shared_ptr<const Program> program_;
  std::shared_ptr<StateStore> states_;
  Sizes sizes_;
  std::vector<Shape> shapes_;           // by tensor
  std::vector<void*> storage_;          // by root tensor
  std::vector<int32_t> roots_;          // by tensor
  std::vector<BindingCache> bindings_;  // by segment
  std::vector<const Binding*> shaped_;  // by segment: whose sizes shapes_ has
  std::vector<Memory> arenas_;          // by segment
  int threads_ = 0;                     // that bindings were made for
  int failed_step_ = -1;
  bool profiling_ = false;
  std::vector<int64_t> nanoseconds_;
};

}  // namespace octavo
