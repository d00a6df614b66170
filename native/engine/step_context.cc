#include "engine/step_context.h"

namespace octavo {

const PlanAttribute* find_attribute(const Plan& plan, const PlanStep& step, const char* name, AttributeKind kind) {
  for (const PlanAttribute& a : step.attributes)
    if (a.kind == kind && plan.strings[static_cast<size_t>(a.name)] == name) return &a;
  return nullptr;
}

std::string describe_step(const Plan& plan, const PlanStep& step) {
  const std::string& label = plan.strings[static_cast<size_t>(step.label)];
  const std::string& op = plan.strings[static_cast<size_t>(step.op)];
  return label.empty() ? op : op + " '" + label + "'";
}

const Shape& StepBindContext::shape(int32_t tensor) const {
  static const Shape none;
  return tensor < 0 ? none : shapes_[static_cast<size_t>(tensor)];
}

std::vector<int64_t> StepBindContext::integers(const char* name) const {
  std::vector<int64_t> values;
  const PlanAttribute* a = find_attribute(plan_, step_, name, AttributeKind::kInts);
  if (a == nullptr) return values;
  values.reserve(a->values.size());
  for (int32_t e : a->values) {
    if (!sizes_.known(e)) {
      status_ = error(Code::kShape,
                      std::string("attribute ") + name +
                          (sizes_.failed(e) ? " overflows or divides by zero" : " is not known where it is needed"));
      values.push_back(0);
    } else {
      values.push_back(sizes_.value(e));
    }
  }
  return values;
}

Status StepBindContext::error(Code code, const std::string& what) const {
  return Status::Error(code, describe_step(plan_, step_) + ": " + what);
}

Status StepRunContext::error(Code code, const std::string& what) const {
  return Status::Error(code, describe_step(plan_, step_) + ": " + what);
}

Status StepRunContext::provide_output(int i, const Shape& shape, const void* data) {
  const int32_t tensor = slot(step_.outputs, i);
  if (tensor < 0) return Status::Ok();
  if (provider_ == nullptr || plan_.tensors[static_cast<size_t>(tensor)].kind != TensorKind::kProvided)
    return error(Code::kInvalidPlan, "output " + std::to_string(i) + " is not of the kind that a step provides");
  return provider_->provide(tensor, shape, data);
}

}  // namespace octavo
