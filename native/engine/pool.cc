#include "engine/pool.h"

#include <algorithm>
#include <atomic>

#include "cpu/cores.h"
#include "cpu/float_mode.h"
#include "engine/thread.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace octavo {
namespace {

// How long a worker looks for more work before it sleeps, and a caller for its workers: the steps of a plan follow
// each other within some microseconds, while waking a sleeping thread costs about fifty.
constexpr int kSpins = 4000;

inline void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#endif
}

int cores() {
  static const int count = usable_cores();
  return count;
}

std::atomic<int> runs_in_flight{0};

bool every_core_has_a_run() {
  const int runs = runs_in_flight.load(std::memory_order_relaxed);
  return runs > 1 && runs >= cores();
}

struct Job {
  ThreadPool::Task fn;
  void* context;
  int64_t tasks;
  int wanted;                    // workers that may still join; guarded by the mutex
  int joined = 0;                // guarded by the mutex
  std::atomic<int64_t> next{0};  // first task nobody has taken
  std::atomic<int> working{0};   // workers inside
  Job* link = nullptr;

  void work(int thread) {
    for (;;) {
      const int64_t task = next.fetch_add(1, std::memory_order_relaxed);
      if (task >= tasks) return;
      fn(context, task, thread);
    }
  }
};

class Workers {
 public:
  // Never destroyed: its threads run until the process ends.
  static Workers& get() {
    static Workers* const workers = new Workers;
    return *workers;
  }

  void run(Job& job) {
    {
      Lock lock(mutex_);
      start_up_to(job.wanted);
      job.link = jobs_;
      jobs_ = &job;
      posted_.fetch_add(1, std::memory_order_release);
      if (sleeping_ > 0) work_.wake_all();
    }
    job.work(0);
    {
      Lock lock(mutex_);
      Job** at = &jobs_;
      while (*at != &job) at = &(*at)->link;
      *at = job.link;
    }
    // No worker can join any more; those inside finish their last task.
    for (int spin = 0; spin < kSpins; ++spin) {
      if (job.working.load(std::memory_order_acquire) == 0) return;
      relax();
    }
    Lock lock(mutex_);
    ++waiting_;
    while (job.working.load(std::memory_order_acquire) != 0) done_.wait(mutex_);
    --waiting_;
  }

 private:
  void start_up_to(int wanted) {
    while (started_ < wanted && !exhausted_) {
      if (start_thread([](void* self) { static_cast<Workers*>(self)->loop(); }, this)) ++started_;
      else exhausted_ = true;
    }
  }

  // Runs that share the cores leave that many to workers.
  bool has_core_left() const {
    const int runs = runs_in_flight.load(std::memory_order_relaxed);
    return runs <= 1 || working_ < cores() - runs;
  }

  Job* join(int* thread) {
    if (!has_core_left()) return nullptr;
    for (Job* job = jobs_; job != nullptr; job = job->link) {
      if (job->wanted == 0 || job->next.load(std::memory_order_relaxed) >= job->tasks) continue;
      --job->wanted;
      *thread = ++job->joined;
      job->working.fetch_add(1, std::memory_order_relaxed);
      ++working_;
      return job;
    }
    return nullptr;
  }

  void loop() {
    FlushSubnormals::set();
    mutex_.lock();
    for (;;) {
      const unsigned seen = posted_.load(std::memory_order_relaxed);
      int thread = 0;
      if (Job* const job = join(&thread)) {
        mutex_.unlock();
        job->work(thread);
        mutex_.lock();
        // Under the mutex: a caller that sleeps cannot miss it, and one that returns cannot free the job under us.
        job->working.fetch_sub(1, std::memory_order_release);
        --working_;
        if (waiting_ > 0) done_.wake_all();
        continue;
      }
      mutex_.unlock();
      for (int spin = 0; spin < kSpins && posted_.load(std::memory_order_acquire) == seen; ++spin) relax();
      mutex_.lock();
      while (posted_.load(std::memory_order_relaxed) == seen) {
        ++sleeping_;
        work_.wait(mutex_);
        --sleeping_;
      }
    }
  }

  Mutex mutex_;
  Condition work_, done_;
  Job* jobs_ = nullptr;
  std::atomic<unsigned> posted_{0};
  int started_ = 0, sleeping_ = 0, waiting_ = 0, working_ = 0;
  bool exhausted_ = false;
};

}  // namespace

RunInFlight::RunInFlight() { runs_in_flight.fetch_add(1, std::memory_order_relaxed); }
RunInFlight::~RunInFlight() { runs_in_flight.fetch_sub(1, std::memory_order_relaxed); }

PoolView::PoolView(int threads) : threads_(std::max(1, std::min(threads, kMaxThreads))) {}

void PoolView::run(int64_t tasks, Task fn, void* context) {
  if (threads_ == 1 || tasks <= 1 || every_core_has_a_run()) {
    for (int64_t i = 0; i < tasks; ++i) fn(context, i, 0);
    return;
  }
  Job job{fn, context, tasks, static_cast<int>(std::min<int64_t>(threads_ - 1, tasks - 1))};
  Workers::get().run(job);
}

}  // namespace octavo
