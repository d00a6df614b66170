// Memory of an operator's constants: 64-byte aligned, with the read slack every buffer has.
#pragma once

#include <cstdlib>
#include <cstring>
#include <utility>

#include "engine/packed_store.h"

namespace octavo {

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  AlignedBuffer(AlignedBuffer&& o) noexcept
      : memory_(std::exchange(o.memory_, nullptr)), data_(std::exchange(o.data_, nullptr)), bytes_(std::exchange(o.bytes_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& o) noexcept {
    std::swap(memory_, o.memory_);
    std::swap(data_, o.data_);
    std::swap(bytes_, o.bytes_);
    return *this;
  }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer() { std::free(memory_); }

  // Zeros. False: out of memory.
  [[nodiscard]] bool allocate(size_t bytes) {
    return take(bytes, [](size_t size) { return std::calloc(size, 1); });
  }
  // The same for what is then written to the last byte: only the slack is zeroed.
  [[nodiscard]] bool allocate_unset(size_t bytes) {
    if (!take(bytes, [](size_t size) { return std::malloc(size); })) return false;
    std::memset(data_ + bytes, 0, kReadSlack);
    return true;
  }
  // That, in a store that outlives this: of packed weights.
  [[nodiscard]] bool allocate_in(PackedStore& store, size_t bytes) {
    release();
    data_ = store.take(bytes);
    bytes_ = data_ == nullptr ? 0 : bytes;
    return data_ != nullptr;
  }
  uint8_t* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  template <class T> T* as() const { return reinterpret_cast<T*>(data_); }

 private:
  template <class Allocate>
  bool take(size_t bytes, Allocate&& allocate) {
    release();
    if (bytes > static_cast<size_t>(PTRDIFF_MAX) - kReadSlack - 64) return false;
    memory_ = allocate(bytes + kReadSlack + 64);
    if (memory_ == nullptr) return false;
    data_ = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(memory_) + 63) / 64 * 64);
    bytes_ = bytes;
    return true;
  }

  void release() {
    std::free(memory_);
    data_ = nullptr;
    memory_ = nullptr;
    bytes_ = 0;
  }

  void* memory_ = nullptr;
  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace octavo
