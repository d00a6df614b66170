#include "engine/schedule.h"

#include <algorithm>

#include "engine/step_context.h"

namespace octavo {

Status make_schedule(const Plan& plan, const std::vector<char>& folded, Schedule* schedule) {
  Schedule& s = *schedule;
  const size_t tensors = plan.tensors.size();
  s.reads_after.resize(plan.steps.size());
  s.producer.assign(tensors, -1);
  s.last_use.assign(tensors, -1);
  for (size_t k = 0; k < plan.steps.size(); ++k) {
    const int32_t index = static_cast<int32_t>(k);
    const PlanStep& step = plan.steps[k];
    if (folded[k]) continue;
    for (int32_t i : step.inputs)
      if (i >= 0) s.last_use[static_cast<size_t>(plan.root(i))] = index;
    for (int32_t i : step.outputs)
      if (i >= 0) {
        s.producer[static_cast<size_t>(i)] = index;
        s.last_use[static_cast<size_t>(i)] = index;
      }
  }
  for (int32_t i : plan.outputs) s.last_use[static_cast<size_t>(plan.root(i))] = INT32_MAX;

  std::vector<int32_t> known_after(plan.symbols.size(), -1);
  for (size_t index = 0; index < plan.symbols.size(); ++index) {
    const PlanSymbol& symbol = plan.symbols[index];
    if (symbol.source != SourceKind::kData && symbol.source != SourceKind::kDim) continue;
    const int32_t root = plan.root(symbol.a);
    // Sizes that a state holds are those it had when the run began.
    const bool is_state = plan.tensors[static_cast<size_t>(root)].kind == TensorKind::kState;
    const int32_t producer = is_state ? -1 : s.producer[static_cast<size_t>(root)];
    known_after[index] = producer;
    if (producer >= 0) s.reads_after[static_cast<size_t>(producer)].push_back(static_cast<int32_t>(index));
    else s.symbols_before.push_back(static_cast<int32_t>(index));
  }
  std::vector<int32_t> needs(plan.expressions.size(), -1);  // the step that must have run
  for (size_t e = 0; e < needs.size(); ++e) {
    const Expr& x = plan.expressions[e];
    if (x.kind == ExprKind::kSymbol) needs[e] = known_after[static_cast<size_t>(x.a)];
    else if (x.kind != ExprKind::kConstant)
      needs[e] = std::max(needs[static_cast<size_t>(x.a)], needs[static_cast<size_t>(x.b)]);
  }
  const auto add_dims = [&](int32_t tensor, int32_t& need) {
    for (int32_t d : plan.tensors[static_cast<size_t>(tensor)].dims)
      need = std::max(need, needs[static_cast<size_t>(d)]);
  };
  s.segments.push_back({0, static_cast<int32_t>(plan.steps.size())});
  for (size_t k = 0; k < plan.steps.size(); ++k) {
    const PlanStep& step = plan.steps[k];
    int32_t need = -1;
    for (int32_t i : step.inputs)
      if (i >= 0) add_dims(i, need);
    for (int32_t i : step.outputs)
      if (i >= 0 && plan.tensors[static_cast<size_t>(i)].kind != TensorKind::kProvided) add_dims(i, need);
    for (const PlanAttribute& a : step.attributes)
      if (a.kind == AttributeKind::kInts)
        for (int32_t e : a.values) need = std::max(need, needs[static_cast<size_t>(e)]);
    const int32_t index = static_cast<int32_t>(k);
    if (need >= index && !folded[k])
      return Status::Error(Code::kInvalidPlan,
                           describe_step(plan, step) + ": needs a size that is only known after it has run");
    if (need >= s.segments.back().begin && !folded[k]) {
      s.segments.back().end = index;
      s.segments.push_back({index, static_cast<int32_t>(plan.steps.size())});
    }
  }
  return Status::Ok();
}

}  // namespace octavo
