// Loop: runs a nested plan until its trip count or condition ends it (ONNX Loop-21). Carried values are copied
// between iterations; what the body scans out is stacked along a new first axis.
#include <cstring>

#include "engine/execution.h"
#include "engine/op.h"
#include "ops/steps.h"

namespace octavo {
namespace {

// Bytes that grow by doubling, aligned and with slack as every buffer of the engine.
class Growing {
 public:
  [[nodiscard]] bool reserve(size_t bytes) {
    if (memory_.data() != nullptr && memory_.size() >= bytes) return true;
    Memory larger;
    size_t size = memory_.size() * 2;
    if (size < bytes) size = bytes;
    if (!larger.allocate(size)) return false;
    if (used_ != 0) std::memcpy(larger.data(), memory_.data(), used_);
    memory_ = std::move(larger);
    return true;
  }
  [[nodiscard]] bool append(const void* data, size_t bytes) {
    if (!reserve(used_ + bytes)) return false;
    if (bytes != 0) std::memcpy(memory_.data() + used_, data, bytes);
    used_ += bytes;
    return true;
  }
  void clear() { used_ = 0; }
  const uint8_t* data() const { return memory_.data(); }

 private:
  Memory memory_;
  size_t used_ = 0;
};

struct LoopShape {
  int carried = 0, scanned = 0, captures = 0;
};

class BoundLoop final : public Bound {
 public:
  BoundLoop(std::shared_ptr<Program> body, LoopShape shape, std::vector<int64_t> symbols)
      : body_(std::move(body)),
        shape_(shape),
        symbols_(std::move(symbols)),
        limits_(body_.program().limits()),
        carried_(static_cast<size_t>(shape.carried)),
        scanned_(static_cast<size_t>(shape.scanned)),
        scanned_shapes_(scanned_.size()) {}

  std::vector<TensorView> inputs;  // of the body: iteration, condition, carried, captures
  std::vector<Shape> empty_scans;  // sizes to give where no iteration ran, without the first axis
  bool has_count = false, has_condition = false;

  Status run(RunContext& context) override {
    int64_t trips = limits_.max_loop_iterations;
    if (has_count && *context.in<int64_t>(0) < trips) trips = *context.in<int64_t>(0);
    const bool limited = !has_count || *context.in<int64_t>(0) > limits_.max_loop_iterations;
    condition_[0] = has_condition ? *context.in<uint8_t>(1) : 1;
    for (int i = 0; i < shape_.carried + shape_.captures; ++i) {
      TensorView& view = inputs[static_cast<size_t>(i) + 2];
      view.data = context.input(i + 2);
      if (i < shape_.carried) view.shape = initial_shapes[static_cast<size_t>(i)];
    }
    inputs[0].data = iteration_;
    inputs[1].data = condition_;
    for (Growing& scan : scanned_) scan.clear();
    OCTAVO_RETURN_IF_ERROR(body_.use_states(context.states()));

    int64_t done = 0;
    for (; done < trips && condition_[0] != 0; ++done) {
      if (context.cancelled().load(std::memory_order_relaxed)) return context.error(Code::kCancelled, "cancelled");
      std::memcpy(iteration_, &done, sizeof done);
      OCTAVO_RETURN_IF_ERROR(body_.run(inputs, symbols_, context.pool(), context.cancelled()));
      condition_[0] = *static_cast<const uint8_t*>(body_.output(0).data);
      OCTAVO_RETURN_IF_ERROR(carry(context));
      OCTAVO_RETURN_IF_ERROR(scan(context, done));
    }
    if (limited && done == trips && condition_[0] != 0)
      return context.error(Code::kLimit, "more than " + std::to_string(trips) + " iterations");

    for (int i = 0; i < shape_.carried; ++i) {
      const TensorView& view = inputs[static_cast<size_t>(i) + 2];
      OCTAVO_RETURN_IF_ERROR(context.provide_output(i, view.shape, view.data));
    }
    for (size_t i = 0; i < scanned_.size(); ++i) OCTAVO_RETURN_IF_ERROR(provide_scan(context, i, done));
    return Status::Ok();
  }

  std::vector<Shape> initial_shapes;  // of carried values

 private:
  // The body's outputs live until it runs again: carried values move to a buffer of the loop. Two of them, because
  // an output may be the very input (a body that passes a value through).
  Status carry(RunContext& context) {
    for (size_t i = 0; i < carried_.size(); ++i) {
      const TensorView result = body_.output(static_cast<int>(i) + 1);
      TensorView& view = inputs[i + 2];
      if (result.shape.rank != view.shape.rank)
        return context.error(Code::kShape, "the rank of carried value " + std::to_string(i) + " changes from " +
                                               format_shape(view.shape) + " to " + format_shape(result.shape));
      size_t bytes = 0;
      if (!tensor_bytes(result.dtype, result.shape, limits_.max_tensor_bytes, &bytes))
        return context.error(Code::kLimit, "carried value " + std::to_string(i) + " is above the limit");
      if (result.data != view.data) next_carried(i).clear();
      if (result.data != view.data && !next_carried(i).append(result.data, bytes))
        return context.error(Code::kOutOfMemory, "no memory for carried values");
    }
    // Only now: an output may also be another carried input.
    for (size_t i = 0; i < carried_.size(); ++i) {
      const TensorView result = body_.output(static_cast<int>(i) + 1);
      TensorView& view = inputs[i + 2];
      view.shape = result.shape;
      if (result.data == view.data) continue;
      view.data = next_carried(i).data();
      carried_[i].current ^= 1;
    }
    return Status::Ok();
  }

  Growing& next_carried(size_t i) { return carried_[i].buffers[carried_[i].current ^ 1]; }

  Status scan(RunContext& context, int64_t done) {
    for (size_t i = 0; i < scanned_.size(); ++i) {
      const TensorView result = body_.output(static_cast<int>(i) + 1 + shape_.carried);
      size_t bytes = 0;
      if (!tensor_bytes(result.dtype, result.shape, limits_.max_tensor_bytes, &bytes))
        return context.error(Code::kLimit, "scanned value " + std::to_string(i) + " is above the limit");
      if (done == 0) scanned_shapes_[i] = result.shape;
      else if (!(scanned_shapes_[i] == result.shape))
        return context.error(Code::kShape, "scanned value " + std::to_string(i) + " changes from " +
                                               format_shape(scanned_shapes_[i]) + " to " + format_shape(result.shape));
      if (static_cast<uint64_t>(bytes) * (static_cast<uint64_t>(done) + 1) > limits_.max_tensor_bytes)
        return context.error(Code::kLimit, "scanned value " + std::to_string(i) + " grows above the limit");
      if (!scanned_[i].append(result.data, bytes))
        return context.error(Code::kOutOfMemory, "no memory for scanned values");
    }
    return Status::Ok();
  }

  Status provide_scan(RunContext& context, size_t i, int64_t done) {
    const Shape& element = done == 0 ? empty_scans[i] : scanned_shapes_[i];
    if (element.rank >= kMaxRank)
      return context.error(Code::kUnsupported, "scanned value " + std::to_string(i) + " would have more than " +
                                                   std::to_string(kMaxRank) + " axes");
    Shape stacked;
    stacked.rank = element.rank + 1;
    stacked.dims[0] = done;
    for (int d = 0; d < element.rank; ++d) stacked.dims[d + 1] = element[d];
    if (!scanned_[i].reserve(1)) return context.error(Code::kOutOfMemory, "no memory for scanned values");
    return context.provide_output(static_cast<int>(i) + shape_.carried, stacked, scanned_[i].data());
  }

  struct Carried {
    Growing buffers[2];
    int current = 0;
  };

  Execution body_;
  const LoopShape shape_;
  const std::vector<int64_t> symbols_;
  const Limits limits_;
  std::vector<Carried> carried_;
  std::vector<Growing> scanned_;
  std::vector<Shape> scanned_shapes_;
  alignas(64) uint8_t iteration_[64 + kReadSlack] = {};
  alignas(64) uint8_t condition_[64 + kReadSlack] = {};
};

class Loop final : public Op {
 public:
  std::shared_ptr<Program> body;
  LoopShape shape;
  bool has_count = false, has_condition = false;

  bool provides_outputs() const override { return true; }

  Status bind(BindContext& context, std::unique_ptr<Bound>* bound) const override {
    if (has_count && context.in(0).elements() != 1)
      return context.error(Code::kShape, "expected a trip count of one element");
    if (has_condition && context.in(1).elements() != 1)
      return context.error(Code::kShape, "expected a condition of one element");
    auto made = std::make_unique<BoundLoop>(body, shape, context.integers("symbols"));
    made->has_count = has_count;
    made->has_condition = has_condition;
    const Plan& plan = body->plan();
    for (int i = 0; i < 2; ++i) {
      // Iteration and condition are scalars, or [1] where the body says so.
      Shape one;
      one.rank = static_cast<int>(plan.tensors[static_cast<size_t>(plan.inputs[static_cast<size_t>(i)])].dims.size());
      for (int d = 0; d < one.rank; ++d) one.dims[d] = 1;
      made->inputs.push_back({i == 0 ? DType::kInt64 : DType::kBool, one, nullptr});
    }
    for (int i = 0; i < shape.carried + shape.captures; ++i) {
      made->inputs.push_back({context.in_type(i + 2), context.in(i + 2), nullptr});
      if (i < shape.carried) made->initial_shapes.push_back(context.in(i + 2));
    }
    const Sizes constant_sizes(plan);
    for (int i = 0; i < shape.scanned; ++i) {
      const PlanTensor& t = plan.tensors[static_cast<size_t>(plan.outputs[static_cast<size_t>(i + 1 + shape.carried)])];
      const Shape& declared = context.out(i + shape.carried);
      Shape element;
      element.rank = static_cast<int>(t.dims.size());
      for (int d = 0; d < element.rank; ++d) {
        const bool outside = d + 1 < declared.rank && declared[d + 1] >= 0;
        const int32_t e = t.dims[static_cast<size_t>(d)];
        element.dims[d] = outside                                                  ? declared[d + 1]
                          : constant_sizes.known(e) && constant_sizes.value(e) > 0 ? constant_sizes.value(e)
                                                                                   : 0;
      }
      made->empty_scans.push_back(element);
    }
    *bound = std::move(made);
    return Status::Ok();
  }
};

}  // namespace

Status make_loop(const LoadContext& context, std::unique_ptr<Op>* op) {
  auto made = std::make_unique<Loop>();
  made->body = context.program("body");
  if (made->body == nullptr) return context.error(Code::kInvalidPlan, "no nested plan body");
  const Plan& plan = made->body->plan();
  const int64_t carried = context.integer("carried", -1);
  if (carried < 0 || carried > context.outputs() || carried > context.inputs() - 2)
    return context.error(Code::kInvalidPlan,
                         "carried is " + std::to_string(carried) + ", more than there are inputs or outputs");
  made->shape.carried = static_cast<int>(carried);
  made->shape.scanned = context.outputs() - made->shape.carried;
  made->shape.captures = context.inputs() - 2 - made->shape.carried;
  if (static_cast<int>(plan.inputs.size()) != context.inputs())
    return context.error(Code::kInvalidPlan, "the body takes " + std::to_string(plan.inputs.size()) +
                                                 " inputs, expected " + std::to_string(context.inputs()));
  if (static_cast<int>(plan.outputs.size()) != context.outputs() + 1)
    return context.error(Code::kInvalidPlan, "the body has " + std::to_string(plan.outputs.size()) +
                                                 " outputs, expected " + std::to_string(context.outputs() + 1));
  const auto type = [&](const std::vector<int32_t>& list, int i) {
    return plan.tensors[static_cast<size_t>(list[static_cast<size_t>(i)])].dtype;
  };
  if (type(plan.inputs, 0) != DType::kInt64 || type(plan.inputs, 1) != DType::kBool ||
      type(plan.outputs, 0) != DType::kBool)
    return context.error(Code::kInvalidPlan,
                         "the body must take an int64 iteration and a bool condition and give a bool condition");
  const PlanTensor& condition = plan.tensors[static_cast<size_t>(plan.outputs[0])];
  const Sizes sizes(plan);
  for (int32_t d : condition.dims)
    if (!sizes.known(d) || sizes.value(d) != 1)
      return context.error(Code::kInvalidPlan, "the condition that the body gives must have one element");
  for (int i = 0; i < context.outputs(); ++i)
    if (!context.output(i).name.empty() && type(plan.outputs, i + 1) != context.output(i).dtype)
      return context.error(Code::kInvalidPlan,
                           "output " + std::to_string(i) + " of the body has another type than the step's");
  for (int i = 0; i < made->shape.carried; ++i)
    if (type(plan.outputs, i + 1) != type(plan.inputs, i + 2))
      return context.error(Code::kInvalidPlan, "carried value " + std::to_string(i) + " changes its type");
  made->has_count = context.input(step::Loop::kTripCount) != nullptr;
  made->has_condition = context.input(step::Loop::kCondition) != nullptr;
  *op = std::move(made);
  return Status::Ok();
}

}  // namespace octavo
