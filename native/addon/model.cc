#include "addon/model.h"

#include <algorithm>
#include <new>

#include "addon/states.h"
#include "addon/token.h"

namespace octavo::addon {

namespace {

std::vector<TensorView> views(const std::vector<OwnedTensor>& tensors) {
  std::vector<TensorView> result;
  result.reserve(tensors.size());
  for (const OwnedTensor& tensor : tensors) result.push_back(tensor.view);
  return result;
}

Napi::Array collect(Napi::Env env, const Execution& execution, const std::vector<int>& outputs) {
  Napi::Array results = Napi::Array::New(env);
  uint32_t next = 0;
  for (int output : outputs) {
    Napi::HandleScope scope(env);
    write_tensor(env, execution.output(output), results, &next);
  }
  return results;
}

}  // namespace

class RunJob final : public Job {
 public:
  RunJob(Napi::Env env, Model* model, std::vector<OwnedTensor> inputs, std::vector<int> outputs,
         std::shared_ptr<std::atomic<bool>> cancelled)
      : Job(std::move(cancelled)),
        deferred(Napi::Promise::Deferred::New(env)),
        env_(env),
        model_(model),
        state_(model->state_),
        profiling_(model->profiling_),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)) {
    model->Ref();  // alive until finish
  }

  void execute() noexcept override {
    try {
      status_ = lane->run(views(inputs_), *cancelled, profiling_);
    } catch (const std::bad_alloc&) {
      status_ = Status::Error(Code::kOutOfMemory, "out of memory");
    }
  }

  void finish() override {
    Napi::HandleScope scope(env_);
    try {
      if (status_.ok()) deferred.Resolve(collect(env_, *lane->execution(), outputs_));
      else deferred.Reject(make_error(env_, status_, lane->failed_step()).Value());
    } catch (const Napi::Error& error) {
      deferred.Reject(error.Value());
    }
    model_->keep(std::move(inputs_));  // not before: an output may be an input under another name
    model_->after_run(this, std::move(lane));
    model_->Unref();
  }

  const Napi::Promise::Deferred deferred;
  std::shared_ptr<Lane> lane;  // from submission to finish

 private:
  Napi::Env env_;
  Model* model_;
  std::shared_ptr<ModelState> state_;
  bool profiling_;
  std::vector<OwnedTensor> inputs_;
  std::vector<int> outputs_;
  Status status_;
};

Napi::Function Model::define(Napi::Env env) {
  return DefineClass(env, "NativeModel",
                     {InstanceMethod<&Model::run>("run"), InstanceMethod<&Model::run_sync>("runSync"),
                      InstanceMethod<&Model::read_state>("readState"), InstanceMethod<&Model::states>("states"),
                      InstanceMethod<&Model::fork>("fork"), InstanceMethod<&Model::kernels>("kernels"),
                      InstanceMethod<&Model::profile>("profile"), InstanceMethod<&Model::set_profiling>("setProfiling"),
                      InstanceMethod<&Model::memory>("memory"), InstanceMethod<&Model::release>("release")});
}

Napi::Object Model::create(Napi::Env env, std::shared_ptr<ModelState> state) {
  const std::shared_ptr<Environment> environment = Environment::of(env);
  Napi::Object object = environment->model_class.New({Napi::External<std::shared_ptr<ModelState>>::New(env, &state)});
  Unwrap(object)->account(env);
  return object;
}

Model::Model(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Model>(info), environment_(Environment::of(info.Env())) {
  if (info.Length() != 1 || !info[0].IsExternal())
    throw Napi::TypeError::New(info.Env(), "NativeModel is made by load()");
  state_ = *info[0].As<Napi::External<std::shared_ptr<ModelState>>>().Data();
}

void Model::Finalize(Napi::Env env) {
  int64_t total = 0;
  if (reported_ != 0) napi_adjust_external_memory(env, -reported_, &total);
}

ModelState& Model::open(Napi::Env env) {
  if (released_ || state_ == nullptr) throw make_error(env, "kReleased", "the model has been released");
  return *state_;
}

Napi::Value Model::run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  ModelState& state = open(env);
  std::vector<OwnedTensor> inputs =
      read_tensors(env, info[0], info[1], state.program().limits().max_tensor_bytes, &spare_);
  std::vector<int> outputs = read_indices(env, info[2], state.program().outputs());
  auto job = std::make_shared<RunJob>(env, this, std::move(inputs), std::move(outputs), Token::flag_of(info[3]));
  const Napi::Promise promise = job->deferred.Promise();
  queue_.push_back(std::move(job));
  start_next();
  return promise;
}

Napi::Value Model::run_sync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  ModelState& state = open(env);
  std::vector<OwnedTensor> inputs =
      read_tensors(env, info[0], info[1], state.program().limits().max_tensor_bytes, &spare_);
  const std::vector<int> outputs = read_indices(env, info[2], state.program().outputs());
  const std::shared_ptr<ModelState> held = state_;
  std::shared_ptr<Lane> lane = take_lane();
  static const std::atomic<bool> never{false};
  const Status status = lane->run(views(inputs), never, profiling_);
  Napi::Value results;
  try {
    if (!status.ok()) throw make_error(env, status, lane->failed_step());
    results = collect(env, *lane->execution(), outputs);
  } catch (...) {
    after_run(nullptr, std::move(lane));
    throw;
  }
  keep(std::move(inputs));
  after_run(nullptr, std::move(lane));
  return results;
}

std::shared_ptr<Lane> Model::take_lane() {
  std::shared_ptr<Lane> lane = state_->executions.take();
  if (lane != nullptr) return lane;
  paused_ = true;
  const std::shared_ptr<RunJob> oldest = active_.front();
  environment_->wait_for(*oldest);
  paused_ = false;
  return state_->executions.take();
}

void Model::start_next() {
  while (!paused_ && !queue_.empty()) {
    std::shared_ptr<Lane> lane = state_->executions.take();
    if (lane == nullptr) return;
    active_.push_back(std::move(queue_.front()));
    queue_.pop_front();
    active_.back()->lane = std::move(lane);
    submit(active_.back(), environment_);
  }
}

void Model::after_run(const RunJob* job, std::shared_ptr<Lane> lane) {
  if (job != nullptr)
    active_.erase(std::find_if(active_.begin(), active_.end(), [&](const auto& other) { return other.get() == job; }));
  if (profiling_ && lane->execution() != nullptr) nanoseconds_ = lane->execution()->profile();
  state_->executions.give_back(std::move(lane));
  account(Env());
  start_next();
  if (released_ && active_.empty() && queue_.empty()) {
    state_.reset();
    account(Env());
  }
}

void Model::keep(std::vector<OwnedTensor> feeds) {
  if (released_) return;
  for (OwnedTensor& feed : feeds) spare_.push_back(std::move(feed.memory));
  const size_t most = feeds.size() * static_cast<size_t>(state_->executions.made());
  if (spare_.size() > most) spare_.erase(spare_.begin(), spare_.end() - static_cast<ptrdiff_t>(most));
}

void Model::account(Napi::Env env) {
  const int64_t bytes =
      state_ == nullptr
          ? 0
          : static_cast<int64_t>(state_->constant_bytes + state_->executions.arena_bytes() + state_->state_bytes);
  int64_t total = 0;
  if (bytes != reported_) napi_adjust_external_memory(env, bytes - reported_, &total);
  reported_ = bytes;
}

Napi::Value Model::read_state(const Napi::CallbackInfo& info) {
  ModelState& state = open(info.Env());
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "readState: expected the name of a state tensor");
  return addon::read_state(info.Env(), *state.states, info[0].As<Napi::String>());
}

Napi::Value Model::states(const Napi::CallbackInfo& info) {
  return States::create(info.Env(), open(info.Env()).states);
}

Napi::Value Model::fork(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  ModelState& state = open(env);
  std::shared_ptr<StateStore> states = state.states->copy();
  if (states == nullptr) throw make_error(env, "kOutOfMemory", "no memory for the states of another model");
  return create(env, std::make_shared<ModelState>(state.executions.shared_program(), std::move(states), state.threads,
                                                  state.most));
}

Napi::Value Model::kernels(const Napi::CallbackInfo& info) {
  const std::vector<ProgramStep>& steps = open(info.Env()).program().steps();
  Napi::Array names = Napi::Array::New(info.Env(), steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    Napi::HandleScope scope(info.Env());
    names.Set(static_cast<uint32_t>(i),
              Napi::String::New(info.Env(), steps[i].op == nullptr ? std::string() : steps[i].op->kernel()));
  }
  return names;
}

Napi::Value Model::profile(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::vector<ProgramStep>& steps = open(env).program().steps();
  Napi::Array entries = Napi::Array::New(env);
  uint32_t count = 0;
  for (size_t i = 0; i < nanoseconds_.size(); ++i) {
    if (steps[i].folded) continue;
    Napi::HandleScope scope(env);
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("step", Napi::Number::New(env, static_cast<double>(i)));
    entry.Set("kernel", Napi::String::New(env, steps[i].op->kernel()));
    entry.Set("microseconds", Napi::Number::New(env, static_cast<double>(nanoseconds_[i]) / 1000.0));
    entries.Set(count++, entry);
  }
  return entries;
}

void Model::set_profiling(const Napi::CallbackInfo& info) {
  open(info.Env());
  if (!info[0].IsBoolean()) throw Napi::TypeError::New(info.Env(), "setProfiling: expected true or false");
  profiling_ = info[0].As<Napi::Boolean>();
}

Napi::Value Model::memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object result = Napi::Object::New(env);
  result.Set("constants", Napi::Number::New(env, static_cast<double>(open(env).constant_bytes)));
  result.Set("arena", Napi::Number::New(env, static_cast<double>(state_->executions.arena_bytes())));
  result.Set("executions", Napi::Number::New(env, state_->executions.made()));
  return result;
}

void Model::release(const Napi::CallbackInfo& info) {
  if (released_) return;
  released_ = true;
  spare_.clear();
  if (!active_.empty() || !queue_.empty()) return;  // the last run does it
  state_.reset();
  account(info.Env());
}

}  // namespace octavo::addon
