// What kernels are tuned by, next to the instruction set: caches and the kind of core.
#pragma once

#include <cstddef>

namespace octavo {

enum class Core {
  kOutOfOrder,  // everything not named below
  kInOrder,     // Cortex-A7, A53, A55, A510: loads and multiplies must be interleaved by hand
};

struct Tuning {
  size_t l1_bytes = 32 * 1024;   // data cache of one core
  size_t l2_bytes = 512 * 1024;  // what one core may fill: the second level, divided by the cores that share it
  Core core = Core::kOutOfOrder;
};

// Found once per process.
const Tuning& tuning();

}  // namespace octavo
