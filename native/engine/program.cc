#include "engine/program.h"

#include <set>

#include "engine/step_context.h"

namespace octavo {

std::string Program::step_name(int32_t step) const {
  return describe_step(*plan_, plan_->steps[static_cast<size_t>(step)]);
}

size_t Program::constant_bytes() const {
  std::set<const Memory*> counted;
  size_t bytes = 0;
  for (const Constant& c : constants_)
    if (c.memory != nullptr && counted.insert(c.memory.get()).second) bytes += c.memory->size();
  for (const ProgramStep& step : steps_)
    if (step.op != nullptr) bytes += step.op->packed_bytes();
  for (const auto& nested : nested_) bytes += nested->constant_bytes();
  return bytes;
}

}  // namespace octavo
