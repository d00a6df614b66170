// Benches register themselves: BENCH(name) { ... report(...) ... }. octavo_bench runs those whose name contains its
// argument.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "cpu/isa.h"

namespace octavo::bench {

struct Bench {
  const char* name;
  void (*body)();
  Bench* next;
  Bench(const char* bench_name, void (*bench_body)());
};

// From the command line.
struct Options {
  bool json = false;
  std::string isa;    // empty: every instruction set that this CPU runs
  std::string shape;  // a part of the name of a shape; empty: all
  double sample_seconds = 2e-3;
  int samples = 9;
  size_t bytes = 16u << 20;  // of the buffer of `stream`
};
const Options& options();

enum class Unit : uint8_t { kGmacs, kGigabytes };

struct Result {
  const char* isa;
  const char* kernel;
  std::string shape;
  bool is_float;
  Unit unit;
  double work;  // products, or bytes read and written, of one call
  double seconds;
};

// One line: for people, or with --json for programs.
void report(const char* family, const Result& result);

// Whether a kernel of this instruction set, over this shape, is asked for and can run.
bool wanted(const char* isa, const std::string& shape = {});
inline bool wanted(Isa isa, const std::string& shape = {}) { return wanted(isa_name(isa), shape); }

// Seconds of one call: the least of the samples, which is what a busy machine disturbs least.
template <class F>
double seconds(F&& body) {
  using Clock = std::chrono::steady_clock;
  const auto elapsed = [&](int64_t n) {
    const auto start = Clock::now();
    for (int64_t i = 0; i < n; ++i) body();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  int64_t n = 1;
  while (elapsed(n) < options().sample_seconds && n < (int64_t{1} << 40)) n *= 2;
  double least = elapsed(n);
  for (int i = 1; i < options().samples; ++i) least = std::min(least, elapsed(n));
  return least / static_cast<double>(n);
}

}  // namespace octavo::bench

#define BENCH(name)                                                                    \
  static void octavo_bench_##name();                                                   \
  static ::octavo::bench::Bench octavo_bench_entry_##name(#name, octavo_bench_##name); \
  static void octavo_bench_##name()
