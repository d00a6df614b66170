// Named tensors that outlive runs and executions: trained weights, running statistics, caches of keys and values.
// Programs that are loaded over the same store share its states by name.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/memory.h"
#include "engine/plan.h"
#include "engine/thread.h"

namespace octavo {

struct State {
  DType dtype = DType::kFloat32;
  Shape shape;
  Memory memory;
};

class StateStore {
 public:
  // Adds the states of a plan, and of the plans in it, that are not there yet, each with its first value from
  // `buffers`, or zeros. Those that are there keep their value; they must be of the same type and sizes. All or none.
  Status adopt(const Plan& plan, size_t max_tensor_bytes, const std::vector<Buffer>& buffers);

  // nullptr: there is none of that name. It stays where it is; its bytes belong to who has a turn.
  State* find(const std::string& name) const;
  std::vector<std::string> names() const;  // sorted
  size_t bytes() const;

  // A store with the same states, as they are between two runs. nullptr: out of memory.
  std::shared_ptr<StateStore> copy();

  // Many may read at once, one writes alone. Who asked to write goes before those who ask to read later. A thread that
  // has a turn may not ask for another.
  enum class Access { kRead, kWrite };
  class Turn {
   public:
    Turn(StateStore* store, Access access);  // store: nullptr where there is nothing to guard
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    StateStore* const store_;
    const Access access_;
  };

 private:
  mutable Mutex mutex_;
  Condition changed_;
  std::unordered_map<std::string, std::unique_ptr<State>> states_;
  int readers_ = 0, writers_waiting_ = 0;
  bool writing_ = false;
};

// How runs of a plan use its states and those of the plans in it; false: there are none.
bool uses_states(const Plan& plan, StateStore::Access* access);

}  // namespace octavo
