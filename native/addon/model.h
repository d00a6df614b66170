// The JavaScript object NativeModel: a loaded program, its executions, and the queue of runs that wait for one.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include <napi.h>

#include "addon/environment.h"
#include "addon/marshal.h"
#include "engine/executions.h"

namespace octavo::addon {

// What runs of a model share. Runs in flight hold it, so release never pulls it from under them.
struct ModelState {
  ModelState(std::shared_ptr<const Program> program, std::shared_ptr<StateStore> states, int threads, int most)
      : constant_bytes(program->constant_bytes()),
        state_bytes(states->bytes()),
        states(states),
        threads(threads),
        most(most),
        executions(std::move(program), std::move(states), threads, most) {}

  const Program& program() const { return executions.program(); }

  const size_t constant_bytes, state_bytes;
  const std::shared_ptr<StateStore> states;
  const int threads, most;
  Executions executions;  // JavaScript thread, once the model is loaded
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
  Napi::Value states(const Napi::CallbackInfo& info);
  Napi::Value fork(const Napi::CallbackInfo& info);
  Napi::Value kernels(const Napi::CallbackInfo& info);
  Napi::Value profile(const Napi::CallbackInfo& info);
  Napi::Value memory(const Napi::CallbackInfo& info);
  void set_profiling(const Napi::CallbackInfo& info);
  void release(const Napi::CallbackInfo& info);

  // Throws kReleased after release.
  ModelState& open(Napi::Env env);
  // A lane, if need be after the oldest run in flight has been waited for and settled. Runs of the queue go after.
  std::shared_ptr<Lane> take_lane();
  void start_next();
  // The lane is free again; job is nullptr after a run on this thread.
  void after_run(const RunJob* job, std::shared_ptr<Lane> lane);
  void account(Napi::Env env);
  // The memory of these feeds, for those of the next run.
  void keep(std::vector<OwnedTensor> feeds);

  std::shared_ptr<ModelState> state_;
  std::shared_ptr<Environment> environment_;
  std::deque<std::shared_ptr<RunJob>> active_, queue_;  // the oldest first
  std::vector<Memory> spare_;
  bool released_ = false, paused_ = false, profiling_ = false;
  int64_t reported_ = 0;              // bytes that V8 has been told of
  std::vector<int64_t> nanoseconds_;  // of the last run that was profiled
};

}  // namespace octavo::addon
