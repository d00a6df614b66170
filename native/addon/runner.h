// Threads that run jobs for JavaScript. They are ours and not libuv's, so that files and DNS never wait for a model.
#pragma once

#include <atomic>
#include <memory>

namespace octavo::addon {

class Environment;

// Work off the JavaScript thread: execute on a runner, then finish on the thread of its environment.
class Job {
 public:
  explicit Job(std::shared_ptr<std::atomic<bool>> cancelled) : cancelled(std::move(cancelled)) {}
  virtual ~Job() = default;
  virtual void execute() noexcept = 0;
  // Settles the promise. Called at most once; not at all when the environment ends first.
  virtual void finish() = 0;

  const std::shared_ptr<std::atomic<bool>> cancelled;
  bool finished = false;  // JavaScript thread only
};

// Runs the job as soon as a thread is free, then hands it to environment.done(). First come, first served.
void submit(std::shared_ptr<Job> job, std::shared_ptr<Environment> environment);

}  // namespace octavo::addon
