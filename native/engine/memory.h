// A block of memory for tensors: 64-byte aligned, with kReadSlack readable bytes past its end.
#pragma once

#include <cstdlib>
#include <cstring>
#include <utility>

#include "engine/pages.h"
#include "engine/tensor.h"

namespace octavo {

constexpr size_t kAlignment = 64;

constexpr size_t align_up(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

class Memory {
 public:
  Memory() = default;
  Memory(Memory&& other) noexcept { *this = std::move(other); }
  Memory& operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(pages_, other.pages_);
    return *this;
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { release(); }

  // Drops what it held. False: out of memory.
  [[nodiscard]] bool allocate(size_t bytes) {
    release();
    if (bytes > SIZE_MAX - 2 * kAlignment) return false;
    const size_t whole = align_up(bytes) + kReadSlack;
    if (whole >= kHugePage) {
      if (!pages_.allocate(whole)) return false;
      data_ = pages_.data();
    } else {
      void* memory = nullptr;
      if (posix_memalign(&memory, kAlignment, whole) != 0) return false;
      data_ = static_cast<uint8_t*>(memory);
    }
    // The slack is read but never used for a result; zeros keep memory checkers quiet.
    std::memset(data_ + bytes, 0, whole - bytes);
    size_ = bytes;
    return true;
  }

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void release() {
    if (pages_.data() == nullptr) std::free(data_);
    pages_.release();
    data_ = nullptr;
    size_ = 0;
  }

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  Pages pages_;  // of large blocks
};

}  // namespace octavo
