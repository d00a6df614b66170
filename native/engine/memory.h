// A block of memory for tensors: 64-byte aligned, with kReadSlack readable bytes past its end.
#pragma once

#include <cstdlib>
#include <cstring>
#include <utility>

#include "engine/tensor.h"

namespace octavo {

constexpr size_t kAlignment = 64;

constexpr size_t align_up(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

class Memory {
 public:
  Memory() = default;
  Memory(Memory&& other) noexcept : data_(other.data_), size_(other.size_) {
    other.data_ = nullptr;
    other.size_ = 0;
  }
  Memory& operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Memory() { std::free(data_); }

  // Drops what it held. False: out of memory.
  [[nodiscard]] bool allocate(size_t bytes) {
    std::free(data_);
    data_ = nullptr;
    size_ = 0;
    if (bytes > SIZE_MAX - 2 * kAlignment) return false;
    void* memory = nullptr;
    if (posix_memalign(&memory, kAlignment, align_up(bytes) + kReadSlack) != 0) return false;
    data_ = static_cast<uint8_t*>(memory);
    size_ = bytes;
    // The slack is read but never used for a result; zeros keep memory checkers quiet.
    std::memset(data_ + bytes, 0, align_up(bytes) + kReadSlack - bytes);
    return true;
  }

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace octavo
