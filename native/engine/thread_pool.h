// One pool for the process. Work is split by the shape of the tensors, never by the number of threads,
// so results do not depend on it. engine/pool.h has the real one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octavo {

class ThreadPool {
 public:
  virtual ~ThreadPool() = default;
  // Threads that may call fn at once, the caller included.
  virtual int threads() const = 0;

  using Task = void (*)(void* context, int64_t task, int thread);
  // Calls fn(context, i, thread) once for every i in [0, tasks); thread is in [0, threads()). Returns when all are
  // done.
  virtual void run(int64_t tasks, Task fn, void* context) = 0;

  // for_each(tasks, [&](int64_t task, int thread) { ... }): no allocation.
  template <class F>
  void for_each(int64_t tasks, F&& body) {
    if (tasks <= 0) return;
    run(
        tasks, [](void* context, int64_t task, int thread) { (*static_cast<F*>(context))(task, thread); },
        const_cast<void*>(static_cast<const void*>(&body)));
  }
};

}  // namespace octavo
