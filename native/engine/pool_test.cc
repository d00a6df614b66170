#include "engine/pool.h"

#include <pthread.h>

#include <atomic>
#include <memory>
#include <vector>

#include "test/check.h"

namespace octavo {
namespace {

// Every task exactly once, every thread index used by one thread at a time.
void exercise(int threads, int64_t tasks) {
  PoolView pool(threads);
  std::vector<std::atomic<int>> seen(static_cast<size_t>(tasks));
  std::vector<std::atomic<int>> busy(static_cast<size_t>(threads));
  std::atomic<int> shared{0};
  pool.for_each(tasks, [&](int64_t task, int thread) {
    if (busy[static_cast<size_t>(thread)].fetch_add(1) != 0) ++shared;
    ++seen[static_cast<size_t>(task)];
    busy[static_cast<size_t>(thread)].fetch_sub(1);
  });
  EXPECT_EQ(shared.load(), 0);
  for (auto& count : seen) EXPECT_EQ(count.load(), 1);
}

}  // namespace

TEST(pool_runs_every_task_once) {
  for (int threads : {1, 2, 3, 8})
    for (int64_t tasks : {0, 1, 2, 3, 7, 100}) exercise(threads, tasks);
}

TEST(pool_serves_many_callers) {
  pthread_t callers[4];
  for (pthread_t& caller : callers)
    pthread_create(
        &caller, nullptr,
        [](void*) -> void* {
          for (int i = 0; i < 200; ++i) exercise(3, 17);
          return nullptr;
        },
        nullptr);
  for (pthread_t& caller : callers) pthread_join(caller, nullptr);
}

TEST(pool_gives_each_of_many_runs_a_core) {
  // More runs than any machine has cores: each works alone, on the thread that called.
  std::vector<std::unique_ptr<RunInFlight>> others;
  for (int i = 0; i < 300; ++i) others.push_back(std::make_unique<RunInFlight>());
  PoolView pool(8);
  int helped = 0;
  pool.for_each(100, [&](int64_t, int thread) { helped += thread != 0; });
  EXPECT_EQ(helped, 0);
  exercise(8, 100);
  others.resize(1);
  exercise(8, 100);
}

}  // namespace octavo
