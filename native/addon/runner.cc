#include "addon/runner.h"

#include <algorithm>
#include <deque>

#include "addon/environment.h"
#include "cpu/cores.h"
#include "engine/thread.h"

namespace octavo::addon {
namespace {

struct Entry {
  std::shared_ptr<Job> job;
  std::shared_ptr<Environment> environment;
};

class Runner {
 public:
  static Runner& get() {
    static Runner* const runner = new Runner;  // never destroyed: its threads run until the process ends
    return *runner;
  }

  void submit(Entry entry) {
    bool have_thread = true;
    {
      Lock lock(mutex_);
      queue_.push_back(std::move(entry));
      if (idle_ < static_cast<int>(queue_.size()) && threads_ < limit_) {
        if (start_thread([](void* self) { static_cast<Runner*>(self)->loop(); }, this)) ++threads_;
        have_thread = threads_ > 0;
      }
      work_.wake_all();
    }
    // A system without a thread to spare still runs models, only not beside JavaScript.
    if (!have_thread) run_one();
  }

 private:
  void run_one() {
    Entry entry;
    {
      Lock lock(mutex_);
      if (queue_.empty()) return;
      entry = std::move(queue_.front());
      queue_.pop_front();
    }
    execute(entry);
  }

  static void execute(Entry& entry) {
    if (entry.environment->begin(entry.job.get())) {
      entry.job->execute();
      entry.environment->done(std::move(entry.job));
    }
  }

  void loop() {
    for (;;) {
      Entry entry;
      {
        Lock lock(mutex_);
        ++idle_;
        while (queue_.empty()) work_.wait(mutex_);
        --idle_;
        entry = std::move(queue_.front());
        queue_.pop_front();
      }
      execute(entry);
    }
  }

  Mutex mutex_;
  Condition work_;
  std::deque<Entry> queue_;
  int threads_ = 0, idle_ = 0;
  // Runs of different models at once; each may use the pool's threads besides.
  const int limit_ = std::max(2, usable_cores());
};

}  // namespace

void submit(std::shared_ptr<Job> job, std::shared_ptr<Environment> environment) {
  environment->expect(job);
  Runner::get().submit({std::move(job), std::move(environment)});
}

}  // namespace octavo::addon
