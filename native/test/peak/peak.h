// What one core can do at most: the best multiply-accumulate of an instruction set, on registers only.
#pragma once

#include <cstdint>

namespace octavo::bench {

struct PeakLoop {
  const char* isa;
  const char* instruction;
  bool is_float;
  int macs;  // of one iteration
  void (*run)(int64_t iterations);
};

#define OCTAVO_PEAK(isa, symbol, instruction, is_float, macs) void symbol(int64_t iterations);
#include "test/peak/loops.inc"
#undef OCTAVO_PEAK

}  // namespace octavo::bench
