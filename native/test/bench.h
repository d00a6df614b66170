// Benches register themselves: BENCH(name) { ... print ... }. octavo_bench runs those whose name contains its argument.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace octavo::bench {

struct Bench {
  const char* name;
  void (*body)();
  Bench* next;
  Bench(const char* bench_name, void (*bench_body)());
};

// Median seconds of one call over 9 samples of about 10 ms.
template <class F>
double seconds(F&& body) {
  using Clock = std::chrono::steady_clock;
  const auto elapsed = [&](int64_t n) {
    const auto start = Clock::now();
    for (int64_t i = 0; i < n; ++i) body();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  int64_t n = 1;
  while (elapsed(n) < 0.01 && n < (int64_t{1} << 40)) n *= 2;
  double samples[9];
  for (double& s : samples) s = elapsed(n) / static_cast<double>(n);
  std::sort(samples, samples + 9);
  return samples[4];
}

}  // namespace octavo::bench

#define BENCH(name)                                                     \
  static void octavo_bench_##name();                                    \
  static ::octavo::bench::Bench octavo_bench_entry_##name(#name, octavo_bench_##name); \
  static void octavo_bench_##name()
