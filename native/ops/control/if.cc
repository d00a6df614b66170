// If: runs one of two nested plans; its outputs are those of the plan that ran.
#include "engine/execution.h"
#include "engine/op.h"

namespace octavo {
namespace {

class BoundIf final : public Bound {
 public:
  BoundIf(std::shared_ptr<Program> then_program, std::shared_ptr<Program> else_program, std::vector<int64_t> symbols,
          int outputs)
      : then_(std::move(then_program)),
        else_(std::move(else_program)),
        symbols_(std::move(symbols)),
        outputs_(outputs) {}

  std::vector<TensorView> captures;  // types and shapes; run adds the pointers

  Status run(RunContext& context) override {
    Execution& branch = *context.in<uint8_t>(0) != 0 ? then_ : else_;
    for (size_t i = 0; i < captures.size(); ++i) captures[i].data = context.input(static_cast<int>(i) + 1);
    OCTAVO_RETURN_IF_ERROR(branch.use_states(context.states()));
    OCTAVO_RETURN_IF_ERROR(branch.run(captures, symbols_, context.pool(), context.cancelled()));
    for (int i = 0; i < outputs_; ++i) {
      const TensorView view = branch.output(i);
      OCTAVO_RETURN_IF_ERROR(context.provide_output(i, view.shape, view.data));
    }
    return Status::Ok();
  }

 private:
  Execution then_, else_;
  std::vector<int64_t> symbols_;
  int outputs_;
};

class If final : public Op {
 public:
  std::shared_ptr<Program> then_program, else_program;
  int inputs = 0, outputs = 0;

  bool provides_outputs() const override { return true; }

  Status bind(BindContext& context, std::unique_ptr<Bound>* bound) const override {
    if (context.in(0).elements() != 1) return context.error(Code::kShape, "expected a condition of one element");
    auto made = std::make_unique<BoundIf>(then_program, else_program, context.integers("symbols"), outputs);
    for (int i = 1; i < inputs; ++i) made->captures.push_back({context.in_type(i), context.in(i), nullptr});
    *bound = std::move(made);
    return Status::Ok();
  }
};

Status check_branch(const LoadContext& context, const char* name, const Program* program) {
  if (program == nullptr) return context.error(Code::kInvalidPlan, std::string("no nested plan ") + name);
  const Plan& plan = program->plan();
  if (static_cast<int>(plan.inputs.size()) != context.inputs() - 1)
    return context.error(Code::kInvalidPlan, std::string(name) + " takes " + std::to_string(plan.inputs.size()) +
                                                 " inputs, expected " + std::to_string(context.inputs() - 1));
  if (static_cast<int>(plan.outputs.size()) != context.outputs())
    return context.error(Code::kInvalidPlan, std::string(name) + " has " + std::to_string(plan.outputs.size()) +
                                                 " outputs, expected " + std::to_string(context.outputs()));
  for (int i = 0; i < context.outputs(); ++i) {
    const PlanTensor& t = plan.tensors[static_cast<size_t>(plan.outputs[static_cast<size_t>(i)])];
    if (!context.output(i).name.empty() && t.dtype != context.output(i).dtype)
      return context.error(Code::kInvalidPlan, "output " + std::to_string(i) + " of " + name + " is " +
                                                   dtype_name(t.dtype) + ", expected " +
                                                   dtype_name(context.output(i).dtype));
  }
  return Status::Ok();
}

}  // namespace

Status make_if(const LoadContext& context, std::unique_ptr<Op>* op) {
  auto made = std::make_unique<If>();
  made->then_program = context.program("then");
  made->else_program = context.program("else");
  made->inputs = context.inputs();
  made->outputs = context.outputs();
  OCTAVO_RETURN_IF_ERROR(check_branch(context, "then", made->then_program.get()));
  OCTAVO_RETURN_IF_ERROR(check_branch(context, "else", made->else_program.get()));
  *op = std::move(made);
  return Status::Ok();
}

}  // namespace octavo
