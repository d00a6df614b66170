// The JavaScript object NativeModel: an execution, and the queue of its runs.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include <napi.h>

#include "addon/environment.h"
#include "addon/marshal.h"
#include "engine/execution.h"
#include "engine/pool.h"

namespace octavo::addon {

// What runs of a model share. Runs in flight hold it, so release never pulls it from under them.
struct ModelState {
  ModelState(std::shared_ptr<const Program> program, int threads)
      : execution(std::move(program)), constant_bytes(execution.program().constant_bytes()), pool(threads) {}

  Execution execution;
  const size_t constant_bytes;
  PoolView pool;
};

class RunJob;

class Model : public Napi::ObjectWrap<Model> {
 public:
  static Napi::Function define(Napi::Env env);
  static Napi::Object create(Napi::Env env, std::shared_ptr<ModelState> state);

  explicit Model(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override;

 private:
  friend class RunJob;
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value run_sync(const Napi::CallbackInfo& info);
  Napi::Value read_state(const Napi::CallbackInfo& info);
  Napi::Value kernels(const Napi::CallbackInfo& info);
  Napi::Value profile(const Napi::CallbackInfo& info);
  Napi::Value memory(const Napi::CallbackInfo& info);
  void set_profiling(const Napi::CallbackInfo& info);
  void release(const Napi::CallbackInfo& info);

  // Throws kReleased after release.
  ModelState& open(Napi::Env env);
  // Waits for the run in flight, if any, and settles it, without starting the next. resume starts it.
  void pause();
  void resume();
  void start_next();
  void after_run();
  void account(Napi::Env env);
  // The memory of these feeds, for those of the next run.
  void keep(std::vector<OwnedTensor> feeds);

  std::shared_ptr<ModelState> state_;
  std::shared_ptr<Environment> environment_;
  std::shared_ptr<RunJob> active_;
  std::deque<std::shared_ptr<RunJob>> queue_;
  std::vector<Memory> spare_;
  bool released_ = false, paused_ = false, profiling_ = false;
  int64_t reported_ = 0;              // bytes that V8 has been told of
  size_t arena_ = 0;                  // after the last run
  std::vector<int64_t> nanoseconds_;  // of the last run that was profiled
};

// Runs on any thread; nothing is thrown.
Status run_model(ModelState& state, const std::vector<TensorView>& inputs, const std::atomic<bool>& cancelled) noexcept;

}  // namespace octavo::addon
