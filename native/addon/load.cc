#include "addon/load.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "addon/environment.h"
#include "addon/model.h"
#include "addon/states.h"
#include "addon/token.h"
#include "cpu/cores.h"

namespace octavo::addon {
namespace {

class LoadJob final : public Job {
 public:
  LoadJob(Napi::Env env, std::shared_ptr<std::atomic<bool>> cancelled)
      : Job(std::move(cancelled)), deferred(Napi::Promise::Deferred::New(env)), env_(env) {}

  std::vector<int32_t> words;
  std::vector<Buffer> buffers;
  Napi::ObjectReference keep_alive;  // the arrays that the buffers point into
  std::shared_ptr<StateStore> states;
  Limits limits;
  int threads = 1, executions = 1;

  void execute() noexcept override {
    std::shared_ptr<const Program> program;
    PoolView pool(threads);
    status_ = Program::load(words.data(), words.size(), buffers, limits, pool, *cancelled, &program, &step_);
    if (!status_.ok()) return;
    try {
      if (states == nullptr) states = std::make_shared<StateStore>();
      status_ = states->adopt(program->plan(), limits.max_tensor_bytes, buffers);
      if (!status_.ok()) return;
      state_ = std::make_shared<ModelState>(std::move(program), std::move(states), threads, executions);
      // The first run is as quick as those that follow it.
      std::shared_ptr<Lane> first = state_->executions.take();
      status_ = first->prepare();
      state_->executions.give_back(std::move(first));
    } catch (const std::bad_alloc&) {
      status_ = Status::Error(Code::kOutOfMemory, "out of memory");
    }
  }

  void finish() override {
    Napi::HandleScope scope(env_);
    keep_alive.Reset();
    try {
      if (!status_.ok()) throw make_error(env_, status_, step_);
      deferred.Resolve(Model::create(env_, std::move(state_)));
    } catch (const Napi::Error& error) {
      deferred.Reject(error.Value());
    }
  }

  // The environment has ended: its references are gone already.
  ~LoadJob() override {
    if (!finished) keep_alive.SuppressDestruct();
  }

  const Napi::Promise::Deferred deferred;

 private:
  Napi::Env env_;
  std::shared_ptr<ModelState> state_;
  Status status_;
  int step_ = -1;
};

// One more than the cores: while the results of one run are handed out, none of the cores waits.
int default_executions() { return usable_cores() + 1; }

// A positive whole number of the options, or `fallback`.
double option(const Napi::Object& options, const char* name, double fallback) {
  const Napi::Value value = options.Get(name);
  if (value.IsUndefined() || value.IsNull()) return fallback;
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
  if (!(number >= 1) || number != std::trunc(number))
    throw Napi::TypeError::New(options.Env(), std::string(name) + ": expected a positive integer");
  return number;
}

// A Uint8Array, or {fd, offset, length}.
Buffer read_buffer(const Napi::Value& value, uint32_t i) {
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
    const Napi::Uint8Array bytes = value.As<Napi::Uint8Array>();
    return {bytes.Data(), bytes.ByteLength()};
  }
  int64_t file = 0, offset = 0, length = 0;
  const auto part = [&](const char* name, double most, int64_t* result) {
    return whole(value.As<Napi::Object>().Get(name), 0, most, result);
  };
  constexpr double kMost = 9007199254740991.0;
  if (!value.IsObject() || !part("fd", 2147483647.0, &file) || !part("offset", kMost, &offset) ||
      !part("length", kMost, &length) ||
      static_cast<uint64_t>(length) > static_cast<uint64_t>(PTRDIFF_MAX) - kReadSlack ||
      (sizeof(off_t) < sizeof(int64_t) && offset + length > PTRDIFF_MAX))
    throw Napi::TypeError::New(
        value.Env(), "load: expected buffer " + std::to_string(i) + " to be a Uint8Array or a part of a file");
  return {nullptr, static_cast<size_t>(length), static_cast<int>(file), static_cast<uint64_t>(offset)};
}

}  // namespace

Napi::Value load(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_int32_array)
    throw Napi::TypeError::New(env, "load: expected words to be an Int32Array");
  if (!info[1].IsArray()) throw Napi::TypeError::New(env, "load: expected buffers to be an array of Uint8Array");
  if (!info[2].IsObject()) throw Napi::TypeError::New(env, "load: expected options");
  auto job = std::make_shared<LoadJob>(env, Token::flag_of(info[3]));
  const Napi::Object options = info[2].As<Napi::Object>();
  job->states = States::store_of(options.Get("states"));
  job->threads = static_cast<int>(std::min<double>(option(options, "threads", usable_cores()), kMaxThreads));
  job->executions =
      static_cast<int>(std::min<double>(option(options, "executions", default_executions()), kMaxThreads));
  job->limits.max_tensor_bytes =
      static_cast<size_t>(std::min(option(options, "maxTensorBytes", static_cast<double>(job->limits.max_tensor_bytes)),
                                   static_cast<double>(SIZE_MAX / 8)));
  job->limits.max_loop_iterations = static_cast<int64_t>(std::min(
      option(options, "maxLoopIterations", static_cast<double>(job->limits.max_loop_iterations)), 9007199254740991.0));
  const Napi::Int32Array words = info[0].As<Napi::Int32Array>();
  job->words.assign(words.Data(), words.Data() + words.ElementLength());
  const Napi::Array buffers = info[1].As<Napi::Array>();
  // The arrays themselves are held, not the caller's list of them, which may change.
  Napi::Array held = Napi::Array::New(env, buffers.Length());
  for (uint32_t i = 0; i < buffers.Length(); ++i) {
    Napi::HandleScope scope(env);
    const Napi::Value value = buffers.Get(i);
    job->buffers.push_back(read_buffer(value, i));
    held.Set(i, value);
  }
  job->keep_alive = Napi::Persistent(held.As<Napi::Object>());
  const Napi::Promise promise = job->deferred.Promise();
  submit(job, Environment::of(env));
  return promise;
}

}  // namespace octavo::addon
