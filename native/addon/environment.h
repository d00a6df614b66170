// What the addon holds per Node environment (main thread or worker): the way back to its event loop, and the jobs
// under way, which are cancelled and waited for when it ends.
#pragma once

#include <memory>
#include <vector>

#include <napi.h>

#include "addon/runner.h"
#include "engine/thread.h"

namespace octavo::addon {

class Environment : public std::enable_shared_from_this<Environment> {
 public:
  // Once per environment, by the module's initialization.
  static void create(Napi::Env env);
  static std::shared_ptr<Environment> of(Napi::Env env);

  Napi::FunctionReference model_class, token_class, states_class;

  // JavaScript thread: the event loop stays alive until the job has finished.
  void expect(const std::shared_ptr<Job>& job);
  // JavaScript thread: finishes a job that is done, ahead of the event loop. False: it is not done.
  void wait_for(Job& job);
  // Runner threads. begin is false when the environment has ended: the job is dropped.
  bool begin(Job* job);
  void done(std::shared_ptr<Job> job);

 private:
  struct Holder;
  static void deliver(napi_env env, napi_value callback, void* context, void* data);
  void finish_all();
  void finish(Job& job);
  void close();

  napi_env env_ = nullptr;
  napi_threadsafe_function wake_ = nullptr;
  Mutex mutex_;
  Condition changed_;
  std::vector<std::shared_ptr<Job>> expected_;  // submitted, not finished; JavaScript thread
  std::vector<std::shared_ptr<Job>> done_;      // executed, not finished
  std::vector<Job*> running_;
  bool closed_ = false;
};

}  // namespace octavo::addon
