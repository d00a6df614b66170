// The two limits of a machine that the others are held against: products in registers, and bytes read in order.
#include <cstring>
#include <vector>

#include "test/bench.h"
#include "test/peak/peak.h"

namespace octavo::bench {
namespace {

constexpr PeakLoop kLoops[] = {
#define OCTAVO_PEAK(isa, symbol, instruction, is_float, macs) {#isa, instruction, is_float, macs, symbol},
#include "test/peak/loops.inc"
#undef OCTAVO_PEAK
    {nullptr, nullptr, false, 0, nullptr},
};

uint64_t read_all(const uint64_t* data, size_t words) {
  uint64_t sum[8] = {};
  for (size_t i = 0; i + 8 <= words; i += 8)
    for (size_t j = 0; j < 8; ++j) sum[j] += data[i + j];
  return sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7];
}

}  // namespace

BENCH(peak) {
  constexpr int64_t kIterations = 1000;
  for (const PeakLoop* loop = kLoops; loop->isa != nullptr; ++loop) {
    if (!wanted(loop->isa)) continue;
    const double time = seconds([&] { loop->run(kIterations); });
    report("peak", {loop->isa, loop->instruction, "registers", loop->is_float, Unit::kGmacs,
                    static_cast<double>(loop->macs) * kIterations, time});
  }
}

BENCH(stream) {
  const size_t words = options().bytes / sizeof(uint64_t);
  const std::vector<uint64_t> buffer(words, 1);
  uint64_t sum = 0;
  const double time = seconds([&] {
    sum += read_all(buffer.data(), words);
    asm volatile("" : "+r"(sum) : : "memory");
  });
  report("stream", {"scalar", "read", std::to_string(words * sizeof(uint64_t)) + " bytes", false, Unit::kGigabytes,
                    static_cast<double>(words * sizeof(uint64_t)), time});
}

}  // namespace octavo::bench
