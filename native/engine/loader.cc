// Program::load.
#include <algorithm>
#include <cstring>
#include <map>
#include <new>

#include "cpu/float_mode.h"
#include "cpu/tuning.h"
#include "engine/constant_bytes.h"
#include "engine/evaluate.h"
#include "engine/fold.h"
#include "engine/program.h"
#include "engine/step_context.h"

namespace octavo {

// Loads one plan; nested plans have loaders of their own.
class Loader {
 public:
  Loader(std::shared_ptr<const Plan> plan, const std::vector<Buffer>& buffers, const Limits& limits, ThreadPool& pool,
         const std::atomic<bool>& cancelled)
      : plan_(*plan),
        buffers_(buffers),
        bytes_(buffers),
        limits_(limits),
        pool_(pool),
        cancelled_(cancelled),
        sizes_(*plan),
        fold_tables_(plan->tensors.size()),
        program_(new Program(bytes_to_read(*plan, buffers))) {
    program_->plan_ = std::move(plan);
    program_->limits_ = limits;
  }

  Status run() {
    const size_t tensors = plan_.tensors.size();
    specs_.resize(tensors);
    program_->is_constant_.assign(tensors, 0);
    program_->constants_.resize(tensors);
    OCTAVO_RETURN_IF_ERROR(describe_tensors());
    program_->steps_.resize(plan_.steps.size());
    for (size_t k = 0; k < plan_.steps.size(); ++k) {
      step_ = static_cast<int>(k);
      if (cancelled_.load(std::memory_order_relaxed)) return Status::Error(Code::kCancelled, "cancelled");
      OCTAVO_RETURN_IF_ERROR(load_step(k));
    }
    std::vector<char> folded;
    for (const ProgramStep& step : program_->steps_) folded.push_back(step.folded);
    OCTAVO_RETURN_IF_ERROR(make_schedule(plan_, folded, &program_->schedule_));
    step_ = -1;
    return keep_constants();
  }

  std::shared_ptr<Program> program() { return program_; }
  int step() const { return step_; }

 private:
  class Context;

  TensorSpec& spec(int32_t i) { return specs_[static_cast<size_t>(i)]; }

  Status describe_tensors() {
    for (size_t i = 0; i < plan_.tensors.size(); ++i) {
      const PlanTensor& t = plan_.tensors[i];
      TensorSpec& s = specs_[i];
      s.name = plan_.strings[static_cast<size_t>(t.name)];
      s.dtype = t.dtype;
      s.rank = static_cast<int>(t.dims.size());
      if (t.kind == TensorKind::kState) {
        Shape shape;
        OCTAVO_RETURN_IF_ERROR(sizes_.shape_of(static_cast<int32_t>(i), limits_.max_tensor_bytes, &shape));
      }
      if (t.kind != TensorKind::kConstant) continue;
      OCTAVO_RETURN_IF_ERROR(sizes_.shape_of(static_cast<int32_t>(i), limits_.max_tensor_bytes, &s.shape));
      const Buffer& buffer = buffers_[static_cast<size_t>(t.buffer)];
      OCTAVO_RETURN_IF_ERROR(become_constant(static_cast<int32_t>(i), s.shape, buffer.data, buffer.size));
      program_->is_constant_[i] = 1;
    }
    for (size_t i = 0; i < plan_.tensors.size(); ++i) {
      if (plan_.tensors[i].kind != TensorKind::kAlias) continue;
      const int32_t alias = static_cast<int32_t>(i), root = plan_.root(alias);
      if (program_->is_constant(root)) OCTAVO_RETURN_IF_ERROR(describe_alias(alias));
      else aliases_[root].push_back(alias);
    }
    return Status::Ok();
  }

  Status become_constant(int32_t i, const Shape& shape, const uint8_t* data, size_t size) {
    TensorSpec& s = spec(i);
    size_t bytes = 0;
    if (!tensor_bytes(s.dtype, shape, limits_.max_tensor_bytes, &bytes) || bytes != size) {
      return Status::Error(Code::kInvalidPlan, "constant " + s.name + ": " + dtype_name(s.dtype) + format_shape(shape) +
                                                   " needs " + std::to_string(bytes) + " bytes, got " +
                                                   std::to_string(size));
    }
    s.constant = true;
    s.shape = shape;
    s.data = data;
    s.byte_length = size;
    return Status::Ok();
  }

  // An alias of a constant is one, if its sizes are.
  Status describe_alias(int32_t i) {
    for (int32_t d : plan_.tensors[static_cast<size_t>(i)].dims)
      if (!sizes_.known(d)) return Status::Ok();
    Shape shape;
    OCTAVO_RETURN_IF_ERROR(sizes_.shape_of(i, limits_.max_tensor_bytes, &shape));
    const TensorSpec& root = spec(plan_.root(i));
    return become_constant(i, shape, root.data, root.byte_length);
  }

  Status load_step(size_t k) {
    const PlanStep& step = plan_.steps[k];
    const std::string& op = plan_.strings[static_cast<size_t>(step.op)];
    const OpFactory factory = find_op(op);
    if (factory == nullptr)
      return Status::Error(Code::kUnsupported, describe_step(plan_, step) + ": this build has no such operator");
    OCTAVO_RETURN_IF_ERROR(load_nested(step));
    OCTAVO_RETURN_IF_ERROR(read_constants(step));
    OCTAVO_RETURN_IF_ERROR(create(step, factory, &program_->steps_[k].op));
    if (program_->steps_[k].op == nullptr) return Status::Error(Code::kInvalidPlan, op + ": created nothing");
    for (int32_t i : step.outputs)
      if (i >= 0 && (plan_.tensors[static_cast<size_t>(i)].kind == TensorKind::kProvided) !=
                        program_->steps_[k].op->provides_outputs())
        return Status::Error(Code::kInvalidPlan,
                             describe_step(plan_, step) + ": output " + spec(i).name +
                                 " is of the wrong kind: control flow provides its outputs, no other operator does");
    OCTAVO_RETURN_IF_ERROR(check_written_states(step, *program_->steps_[k].op));
    if (foldable(step)) OCTAVO_RETURN_IF_ERROR(fold(k));
    drop_constants(step, program_->steps_[k].op.get());
    return Status::Ok();
  }

  // A step that reads the state it writes must be able to, and see it with the same sizes.
  Status check_written_states(const PlanStep& step, const Op& op) const {
    for (size_t o = 0; o < step.outputs.size(); ++o) {
      const int32_t written = step.outputs[o];
      if (written < 0 || plan_.tensors[static_cast<size_t>(written)].kind != TensorKind::kState) continue;
      for (size_t i = 0; i < step.inputs.size(); ++i)
        if (step.inputs[i] >= 0 && plan_.root(step.inputs[i]) == written &&
            (step.inputs[i] != written || o != 0 || !op.writes_over(static_cast<int>(i))))
          return Status::Error(Code::kInvalidPlan, describe_step(plan_, step) + ": cannot write state " +
                                                       plan_.tensor_name(written) + " in place of its input " +
                                                       std::to_string(i));
    }
    return Status::Ok();
  }

  // The buffer in a file that tensor i has its bytes from; -1: none.
  int32_t file_of(int32_t i) const {
    if (i < 0) return -1;
    const PlanTensor& root = plan_.tensors[static_cast<size_t>(plan_.root(i))];
    return root.kind == TensorKind::kConstant && bytes_.in_file(root.buffer) ? root.buffer : -1;
  }

  // Weights are in memory twice only while they are packed, one step after the other.
  Status read_constants(const PlanStep& step) {
    for (int32_t i : step.inputs)
      if (const int32_t buffer = file_of(i); buffer >= 0) OCTAVO_RETURN_IF_ERROR(bytes_.open(buffer, &spec(i).data));
    return Status::Ok();
  }

  void drop_constants(const PlanStep& step, const Op* op) {
    for (size_t i = 0; i < step.inputs.size(); ++i)
      if (const int32_t buffer = file_of(step.inputs[i]);
          buffer >= 0 && (op == nullptr || !op->reads_constant(static_cast<int>(i)))) {
        spec(step.inputs[i]).data = nullptr;
        bytes_.drop(buffer);
      }
  }

  Status load_nested(const PlanStep& step) {
    nested_.clear();
    for (const PlanAttribute& a : step.attributes) {
      if (a.kind != AttributeKind::kPlan) continue;
      Loader loader(a.plan, buffers_, limits_, pool_, cancelled_);
      OCTAVO_RETURN_IF_ERROR(loader.run());
      nested_.emplace_back(a.name, loader.program());
      program_->nested_.push_back(loader.program());
    }
    return Status::Ok();
  }

  Status create(const PlanStep& step, OpFactory factory, std::unique_ptr<Op>* op);

  // All inputs are constants, the sizes are known, and running it once is enough.
  bool foldable(const PlanStep& step) {
    if (!nested_.empty()) return false;
    for (int32_t i : step.inputs)
      if (i >= 0 && !spec(i).constant) return false;
    size_t in = 0, out = 0;
    for (int32_t i : step.inputs)
      if (i >= 0) in += spec(i).byte_length;
    for (int32_t i : step.outputs) {
      if (i < 0) continue;
      const PlanTensor& t = plan_.tensors[static_cast<size_t>(i)];
      if (t.kind != TensorKind::kScratch && t.kind != TensorKind::kOutput) return false;
      Shape shape;
      size_t bytes;
      if (!sizes_.shape_of(i, limits_.max_tensor_bytes, &shape).ok() ||
          !tensor_bytes(t.dtype, shape, limits_.max_tensor_bytes, &bytes))
        return false;
      out += bytes;
    }
    for (const PlanAttribute& a : step.attributes)
      if (a.kind == AttributeKind::kInts)
        for (int32_t e : a.values)
          if (!sizes_.known(e)) return false;
    // A small constant may not become a huge one that lives as long as the model.
    constexpr size_t kSmall = size_t{16} << 20;
    return out <= kSmall || out / 16 <= in;
  }

  Status fold(size_t k) {
    const PlanStep& step = plan_.steps[k];
    std::vector<std::shared_ptr<Memory>> results;
    const Status status =
        fold_step(plan_, step, *program_->steps_[k].op, sizes_, specs_, limits_, cancelled_, fold_tables_, &results);
    if (status.code == Code::kCancelled || status.code == Code::kOutOfMemory) return status;
    // A step that fails on its constants may never be reached; if it is, it fails again.
    if (!status.ok()) return Status::Ok();
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      const int32_t tensor = step.outputs[i];
      if (tensor < 0) continue;
      Shape shape;
      OCTAVO_RETURN_IF_ERROR(sizes_.shape_of(tensor, limits_.max_tensor_bytes, &shape));
      OCTAVO_RETURN_IF_ERROR(become_constant(tensor, shape, results[i]->data(), results[i]->size()));
      program_->constants_[static_cast<size_t>(tensor)] = {shape, results[i]};
      program_->is_constant_[static_cast<size_t>(tensor)] = 1;
      for (int32_t alias : aliases_[tensor]) OCTAVO_RETURN_IF_ERROR(describe_alias(alias));
    }
    program_->steps_[k].folded = true;
    program_->steps_[k].op.reset();
    return Status::Ok();
  }

  Status keep_constants();

  const Plan& plan_;
  const std::vector<Buffer>& buffers_;
  ConstantBytes bytes_;
  const Limits& limits_;
  ThreadPool& pool_;
  const std::atomic<bool>& cancelled_;
  Sizes sizes_;
  FoldTables fold_tables_;
  std::map<int32_t, std::vector<int32_t>> aliases_;  // of tensors that are not constants of the plan
  std::shared_ptr<Program> program_;
  std::vector<TensorSpec> specs_;
  std::vector<std::pair<int32_t, std::shared_ptr<Program>>> nested_;  // of the step being loaded
  int step_ = -1;
};

class Loader::Context final : public LoadContext {
 public:
  Context(Loader& loader, const PlanStep& step) : loader_(loader), step_(step) {}

  const std::string& op() const override { return loader_.plan_.strings[static_cast<size_t>(step_.op)]; }
  int inputs() const override { return static_cast<int>(step_.inputs.size()); }
  int outputs() const override { return static_cast<int>(step_.outputs.size()); }
  const TensorSpec* input(int i) const override {
    const int32_t tensor = slot(step_.inputs, i);
    return tensor < 0 ? nullptr : &loader_.spec(tensor);
  }
  const TensorSpec& output(int i) const override {
    static const TensorSpec absent;
    const int32_t tensor = slot(step_.outputs, i);
    return tensor < 0 ? absent : loader_.spec(tensor);
  }
  bool has(const char* name) const override {
    for (const PlanAttribute& a : step_.attributes)
      if (loader_.plan_.strings[static_cast<size_t>(a.name)] == name) return true;
    return false;
  }
  int64_t integer(const char* name, int64_t fallback) const override {
    const PlanAttribute* a = find(name, AttributeKind::kInts);
    return a == nullptr || a->values.empty() ? fallback : constant(name, a->values[0]);
  }
  std::vector<int64_t> integers(const char* name) const override {
    std::vector<int64_t> values;
    if (const PlanAttribute* a = find(name, AttributeKind::kInts))
      for (int32_t e : a->values) values.push_back(constant(name, e));
    return values;
  }
  float number(const char* name, float fallback) const override {
    const PlanAttribute* a = find(name, AttributeKind::kFloats);
    return a == nullptr || a->floats.empty() ? fallback : a->floats[0];
  }
  std::vector<float> numbers(const char* name) const override {
    const PlanAttribute* a = find(name, AttributeKind::kFloats);
    return a == nullptr ? std::vector<float>() : a->floats;
  }
  std::string text(const char* name, const char* fallback) const override {
    const PlanAttribute* a = find(name, AttributeKind::kTexts);
    return a == nullptr || a->values.empty() ? fallback : loader_.plan_.strings[static_cast<size_t>(a->values[0])];
  }
  std::vector<std::string> texts(const char* name) const override {
    std::vector<std::string> values;
    if (const PlanAttribute* a = find(name, AttributeKind::kTexts))
      for (int32_t s : a->values) values.push_back(loader_.plan_.strings[static_cast<size_t>(s)]);
    return values;
  }
  std::shared_ptr<Program> program(const char* name) const override {
    for (const auto& [string, program] : loader_.nested_)
      if (loader_.plan_.strings[static_cast<size_t>(string)] == name) return program;
    return nullptr;
  }
  PackedStore& store() const override { return loader_.program_->store_; }
  ThreadPool& pool() const override { return loader_.pool_; }
  const Tuning& tuning() const override { return octavo::tuning(); }
  Status error(Code code, const std::string& what) const override {
    return Status::Error(code, describe_step(loader_.plan_, step_) + ": " + what);
  }

  const Status& status() const { return status_; }

 private:
  const PlanAttribute* find(const char* name, AttributeKind kind) const {
    return find_attribute(loader_.plan_, step_, name, kind);
  }
  int64_t constant(const char* name, int32_t expression) const {
    if (loader_.sizes_.known(expression)) return loader_.sizes_.value(expression);
    status_ = error(Code::kInvalidPlan, std::string("attribute ") + name + " must be constant");
    return 0;
  }

  Loader& loader_;
  const PlanStep& step_;
  mutable Status status_;
};

Status Loader::create(const PlanStep& step, OpFactory factory, std::unique_ptr<Op>* op) {
  const Context context(*this, step);
  const Status status = factory(context, op);
  OCTAVO_RETURN_IF_ERROR(context.status());
  return status;
}

// Copies the constants that steps read while running; the buffers of the caller go away after load.
Status Loader::keep_constants() {
  Program& p = *program_;
  std::vector<char> needed(plan_.tensors.size(), 0);
  for (size_t k = 0; k < plan_.steps.size(); ++k) {
    if (p.steps_[k].folded) continue;
    const PlanStep& step = plan_.steps[k];
    for (size_t i = 0; i < step.inputs.size(); ++i)
      if (step.inputs[i] >= 0 && p.steps_[k].op->reads_constant(static_cast<int>(i)))
        needed[static_cast<size_t>(plan_.root(step.inputs[i]))] = 1;
  }
  for (int32_t i : plan_.outputs) needed[static_cast<size_t>(plan_.root(i))] = 1;
  for (int32_t s : p.schedule_.symbols_before)
    needed[static_cast<size_t>(plan_.root(plan_.symbols[static_cast<size_t>(s)].a))] = 1;
  for (size_t i = 0; i < plan_.tensors.size(); ++i) {
    if (!p.is_constant_[i]) continue;
    Constant& constant = p.constants_[i];
    constant.shape = specs_[i].shape;
    if (!needed[i]) {
      constant.memory.reset();
      continue;
    }
    if (constant.memory != nullptr) continue;
    // Constants of the plan and aliases of them; those that folding made have memory already.
    const int32_t root = plan_.root(static_cast<int32_t>(i));
    const PlanTensor& t = plan_.tensors[static_cast<size_t>(root)];
    if (t.kind == TensorKind::kConstant) OCTAVO_RETURN_IF_ERROR(bytes_.keep(t.buffer, &constant.memory));
  }
  return Status::Ok();
}

Status Program::load(const int32_t* words, size_t count, const std::vector<Buffer>& buffers, const Limits& limits,
                     ThreadPool& pool, const std::atomic<bool>& cancelled, std::shared_ptr<const Program>* program,
                     int* step) {
  *step = -1;
  try {
    std::shared_ptr<const Plan> plan;
    OCTAVO_RETURN_IF_ERROR(decode_plan(words, count, buffers.size(), &plan));
    FlushSubnormals mode;
    constexpr size_t kLarge = size_t{16} << 20;
    const bool large = bytes_to_read(*plan, buffers) >= kLarge;
    Loader loader(std::move(plan), buffers, limits, pool, cancelled);
    const Status status = loader.run();
    // Weights were there twice while they were packed.
    if (large) return_freed_memory();
    *step = status.ok() ? -1 : loader.step();
    if (status.ok()) *program = loader.program();
    return status;
  } catch (const std::bad_alloc&) {
    return Status::Error(Code::kOutOfMemory, "out of memory while loading the plan");
  } catch (const std::exception& e) {
    return Status::Error(Code::kInvalidPlan, std::string("while loading the plan: ") + e.what());
  }
}

}  // namespace octavo
