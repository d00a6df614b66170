// The threads of the process, and the view of them that one run has.
#pragma once

#include "engine/thread_pool.h"

namespace octavo {

constexpr int kMaxThreads = 256;

// While it lives, a run of a model counts among those in flight in this process. Several share the cores: each has one
// to itself, workers help on those that are left. Which thread computes a task changes no bit.
class RunInFlight {
 public:
  RunInFlight();
  ~RunInFlight();
  RunInFlight(const RunInFlight&) = delete;
  RunInFlight& operator=(const RunInFlight&) = delete;
};

// A view of the process's pool that uses at most `threads` threads, the caller included. Many views may run at
// once; they share the workers. One view is used by one thread at a time.
class PoolView final : public ThreadPool {
 public:
  explicit PoolView(int threads);
  int threads() const override { return threads_; }
  void run(int64_t tasks, Task fn, void* context) override;

 private:
  int threads_;
};

}  // namespace octavo
