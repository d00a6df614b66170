// Memory of a program's prepacked weights, one after the other: it is filled once, at load, and freed with the
// program.
#pragma once

#include <vector>

#include "engine/memory.h"

namespace octavo {

class PackedStore {
 public:
  // expected: bytes of the constants that will be packed. Those of a small model get blocks of their own.
  explicit PackedStore(size_t expected) : expected_(expected) {}

  // 64-byte aligned, followed by kReadSlack readable zeros; the block itself is not set. nullptr: out of memory.
  [[nodiscard]] uint8_t* take(size_t bytes);

 private:
  size_t expected_;
  std::vector<Memory> blocks_;
  size_t left_ = 0;  // of the last block
};

}  // namespace octavo
