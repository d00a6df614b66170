#include "engine/plan_check.h"

#include <algorithm>
#include <set>

#include "engine/step_context.h"

namespace octavo {
namespace {

Status invalid(const std::string& what) { return Status::Error(Code::kInvalidPlan, what); }

bool is_integer(DType t) {
  switch (t) {
    case DType::kInt64:
    case DType::kInt32:
    case DType::kInt16:
    case DType::kInt8:
    case DType::kUint64:
    case DType::kUint32:
    case DType::kUint16:
    case DType::kUint8:
    case DType::kBool: return true;
    default: return false;
  }
}

class Checker {
 public:
  Checker(const Plan& plan, bool nested) : plan_(plan), nested_(nested), ready_(plan.tensors.size(), 0) {}

  Status run() {
    OCTAVO_RETURN_IF_ERROR(expressions());
    OCTAVO_RETURN_IF_ERROR(aliases());
    OCTAVO_RETURN_IF_ERROR(inputs());
    OCTAVO_RETURN_IF_ERROR(steps());
    OCTAVO_RETURN_IF_ERROR(outputs());
    return symbols();
  }

 private:
  const PlanTensor& tensor(int32_t i) const { return plan_.tensors[static_cast<size_t>(i)]; }
  char& ready(int32_t i) { return ready_[static_cast<size_t>(i)]; }

  Status expressions() {
    for (const Expr& e : plan_.expressions)
      if (e.kind == ExprKind::kSymbol && static_cast<size_t>(e.a) >= plan_.symbols.size())
        return invalid("an expression of symbol " + std::to_string(e.a) + ", which does not exist");
    return Status::Ok();
  }

  // Each alias refers to a tensor before it or after it, but a chain must end: colours 1 (in the chain), 2 (ends).
  Status aliases() {
    std::vector<char> colour(plan_.tensors.size(), 0);
    std::vector<int32_t> chain;
    for (size_t first = 0; first < plan_.tensors.size(); ++first) {
      chain.clear();
      int32_t i = static_cast<int32_t>(first);
      while (tensor(i).kind == TensorKind::kAlias && colour[static_cast<size_t>(i)] == 0) {
        colour[static_cast<size_t>(i)] = 1;
        chain.push_back(i);
        i = tensor(i).of;
      }
      if (colour[static_cast<size_t>(i)] == 1) return invalid("aliases of each other: " + plan_.tensor_name(i));
      for (int32_t j : chain) colour[static_cast<size_t>(j)] = 2;
    }
    for (const PlanTensor& t : plan_.tensors) {
      if (t.kind == TensorKind::kAlias && bit_width(t.dtype) != bit_width(tensor(t.of).dtype))
        return invalid("an alias with elements of another width");
      if (bit_width(t.dtype) < 8 && t.kind != TensorKind::kConstant && t.kind != TensorKind::kAlias)
        return invalid("a tensor of 4-bit elements that is not constant");
    }
    return Status::Ok();
  }

  Status inputs() {
    for (int32_t i : plan_.inputs) {
      if (tensor(i).kind != TensorKind::kInput)
        return invalid(plan_.tensor_name(i) + " is listed as input but of another kind");
      if (ready(i)) return invalid(plan_.tensor_name(i) + " is listed as input twice");
      ready(i) = 1;
    }
    for (size_t i = 0; i < plan_.tensors.size(); ++i) {
      const PlanTensor& t = plan_.tensors[i];
      if (t.kind == TensorKind::kConstant) ready_[i] = 1;
      if (t.kind == TensorKind::kInput && !ready_[i])
        return invalid(plan_.tensor_name(static_cast<int32_t>(i)) + " is an input that is not listed");
    }
    return nested_ ? Status::Ok() : distinct_states(plan_, {});
  }

  // A body may run many times or not at all: a state of its own (a statistic) is none of a plan around it.
  Status distinct_states(const Plan& plan, std::set<std::string> names) {
    for (size_t i = 0; i < plan.tensors.size(); ++i)
      if (plan.tensors[i].kind == TensorKind::kState && !names.insert(plan.tensor_name(static_cast<int32_t>(i))).second)
        return invalid("two states of the name " + plan.tensor_name(static_cast<int32_t>(i)));
    for (const PlanStep& step : plan.steps)
      for (const PlanAttribute& a : step.attributes)
        if (a.kind == AttributeKind::kPlan) OCTAVO_RETURN_IF_ERROR(distinct_states(*a.plan, names));
    return Status::Ok();
  }

  Status steps() {
    for (const PlanStep& step : plan_.steps) {
      const std::string& op = plan_.strings[static_cast<size_t>(step.op)];
      for (size_t position = 0; position < step.inputs.size(); ++position) {
        const int32_t i = step.inputs[position];
        if (i < 0) continue;
        const bool computed = ready(plan_.root(i));
        if (tensor(plan_.root(i)).kind != TensorKind::kState) {
          if (!computed) return invalid(op + " reads " + plan_.tensor_name(i) + " before it is computed");
        } else if (computed && !reads_updated(step, position)) {
          return invalid(op + " reads state " + plan_.tensor_name(i) + " after it was written");
        }
      }
      for (int32_t i : step.outputs) {
        if (i < 0) continue;
        const TensorKind kind = tensor(i).kind;
        if (kind != TensorKind::kScratch && kind != TensorKind::kOutput && kind != TensorKind::kState &&
            kind != TensorKind::kProvided)
          return invalid(op + " writes " + plan_.tensor_name(i) + ", which is constant, input or alias");
        if (ready(i)) return invalid(op + " writes " + plan_.tensor_name(i) + ", which has been computed before");
        ready(i) = 1;
      }
      for (size_t a = 0; a < step.attributes.size(); ++a)
        for (size_t b = 0; b < a; ++b)
          if (step.attributes[a].name == step.attributes[b].name) return invalid(op + " has an attribute twice");
    }
    return Status::Ok();
  }

  // Whether the step asks for the value that a state has in input `position` after it was written.
  bool reads_updated(const PlanStep& step, size_t position) const {
    const PlanAttribute* asked = find_attribute(plan_, step, "reads_updated", AttributeKind::kInts);
    if (asked == nullptr) return false;
    return std::any_of(asked->values.begin(), asked->values.end(), [&](int32_t e) {
      const Expr& expression = plan_.expressions[static_cast<size_t>(e)];
      return expression.kind == ExprKind::kConstant && expression.value == static_cast<int64_t>(position);
    });
  }

  Status outputs() {
    for (int32_t i : plan_.outputs) {
      const int32_t root = plan_.root(i);
      if (tensor(root).kind == TensorKind::kState)
        return invalid("output " + plan_.tensor_name(i) + " is a state: another run may change it, give out a copy");
      if (!ready(root)) return invalid("output " + plan_.tensor_name(i) + " is not computed");
      if (bit_width(tensor(i).dtype) < 8) return invalid("output " + plan_.tensor_name(i) + " has 4-bit elements");
    }
    return Status::Ok();
  }

  Status symbols() {
    std::vector<char> matched(plan_.symbols.size(), 0);
    for (int32_t i : plan_.inputs)
      for (int32_t d : tensor(i).dims) {
        const Expr& e = plan_.expressions[static_cast<size_t>(d)];
        if (e.kind == ExprKind::kSymbol) matched[static_cast<size_t>(e.a)] = 1;
      }
    for (size_t s = 0; s < plan_.symbols.size(); ++s) {
      const PlanSymbol& symbol = plan_.symbols[s];
      const std::string& name = plan_.strings[static_cast<size_t>(symbol.name)];
      const bool of_tensor = symbol.source == SourceKind::kData || symbol.source == SourceKind::kDim;
      if (of_tensor && (symbol.a < 0 || static_cast<size_t>(symbol.a) >= plan_.tensors.size()))
        return invalid("symbol " + name + " of a tensor that does not exist");
      if (of_tensor && tensor(plan_.root(symbol.a)).kind != TensorKind::kState && !ready(plan_.root(symbol.a)))
        return invalid("symbol " + name + " of a tensor that is not computed");
      switch (symbol.source) {
        case SourceKind::kInput:
          if (!matched[s]) return invalid("symbol " + name + " is the size of no input");
          break;
        case SourceKind::kData:
          if (!is_integer(tensor(symbol.a).dtype) || symbol.b < 0)
            return invalid("symbol " + name + " must be an element of an integer tensor");
          break;
        case SourceKind::kDim:
          if (tensor(symbol.a).kind != TensorKind::kProvided || symbol.b < 0 ||
              static_cast<size_t>(symbol.b) >= tensor(symbol.a).dims.size())
            return invalid("symbol " + name + " must be a size of a provided tensor");
          break;
        case SourceKind::kOuter:
          if (!nested_ || symbol.a < 0)
            return invalid("symbol " + name + " comes from an outer plan, and there is none");
          break;
      }
    }
    return Status::Ok();
  }

  const Plan& plan_;
  const bool nested_;
  std::vector<char> ready_;  // by tensor: constant, input, or written by an earlier step
};

}  // namespace

Status check_plan(const Plan& plan, bool nested) { return Checker(plan, nested).run(); }

}  // namespace octavo
