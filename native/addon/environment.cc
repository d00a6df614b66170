#include "addon/environment.h"

#include <algorithm>

namespace octavo::addon {

// Instance data and argument of the cleanup hook: its address is unique to the environment.
struct Environment::Holder {
  std::shared_ptr<Environment> environment;
};

void Environment::create(Napi::Env env) {
  auto environment = std::make_shared<Environment>();
  environment->env_ = env;
  Napi::String name = Napi::String::New(env, "octavo");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, environment.get(), deliver,
                                      &environment->wake_) != napi_ok)
    throw Napi::Error::New(env, "octavo: the event loop takes no callbacks");
  napi_unref_threadsafe_function(env, environment->wake_);
  // Hooks run in the reverse order: this one, registered after the function's own, runs before it.
  auto* const hooked = new Holder{environment};
  napi_add_env_cleanup_hook(
      env,
      [](void* argument) {
        Holder* const holder = static_cast<Holder*>(argument);
        holder->environment->close();
        delete holder;
      },
      hooked);
  auto* const data = new Holder{std::move(environment)};
  const napi_status status = napi_set_instance_data(
      env, data, [](napi_env, void* argument, void*) { delete static_cast<Holder*>(argument); }, nullptr);
  if (status != napi_ok) throw Napi::Error::New(env, "octavo: no instance data");
}

std::shared_ptr<Environment> Environment::of(Napi::Env env) {
  void* data = nullptr;
  if (napi_get_instance_data(env, &data) != napi_ok || data == nullptr)
    throw Napi::Error::New(env, "octavo: the environment has ended");
  return static_cast<Holder*>(data)->environment;
}

void Environment::expect(const std::shared_ptr<Job>& job) {
  if (expected_.empty()) napi_ref_threadsafe_function(env_, wake_);
  expected_.push_back(job);
}

bool Environment::begin(Job* job) {
  Lock lock(mutex_);
  if (closed_) return false;
  running_.push_back(job);
  return true;
}

void Environment::done(std::shared_ptr<Job> job) {
  Lock lock(mutex_);
  running_.erase(std::find(running_.begin(), running_.end(), job.get()));
  done_.push_back(std::move(job));
  changed_.wake_all();
  // While closed_ is false under the mutex, close has not released the function.
  if (!closed_) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
}

void Environment::wait_for(Job& job) {
  if (job.finished) return;
  {
    Lock lock(mutex_);
    const auto is_job = [&](const std::shared_ptr<Job>& other) { return other.get() == &job; };
    while (std::none_of(done_.begin(), done_.end(), is_job) && !closed_) changed_.wait(mutex_);
    done_.erase(std::remove_if(done_.begin(), done_.end(), is_job), done_.end());
  }
  finish(job);
}

void Environment::finish(Job& job) {
  if (job.finished) return;
  job.finished = true;
  const auto at = std::find_if(expected_.begin(), expected_.end(),
                               [&](const std::shared_ptr<Job>& other) { return other.get() == &job; });
  const std::shared_ptr<Job> alive = at == expected_.end() ? nullptr : *at;
  if (at != expected_.end()) expected_.erase(at);
  job.finish();  // may submit the next
  if (expected_.empty()) napi_unref_threadsafe_function(env_, wake_);
}

void Environment::finish_all() {
  std::vector<std::shared_ptr<Job>> jobs;
  {
    Lock lock(mutex_);
    jobs.swap(done_);
  }
  for (const std::shared_ptr<Job>& job : jobs) {
    Napi::HandleScope scope(env_);
    finish(*job);
  }
}

void Environment::deliver(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;  // the environment is ending
  try {
    static_cast<Environment*>(context)->finish_all();
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
}

void Environment::close() {
  {
    Lock lock(mutex_);
    closed_ = true;
    for (const std::shared_ptr<Job>& job : expected_) job->cancelled->store(true);
    // Runners stop at the next step; nothing of this environment may be touched after it.
    while (!running_.empty()) changed_.wait(mutex_);
    done_.clear();
  }
  expected_.clear();
  model_class.SuppressDestruct();
  token_class.SuppressDestruct();
  states_class.SuppressDestruct();
  napi_release_threadsafe_function(wake_, napi_tsfn_abort);
}

}  // namespace octavo::addon
