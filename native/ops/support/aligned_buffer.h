// Memory of an operator's constants: of its own, or in the store of the program.
#pragma once

#include <cstring>
#include <utility>

#include "engine/packed_store.h"

namespace octavo {

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  AlignedBuffer(AlignedBuffer&& o) noexcept { *this = std::move(o); }
  AlignedBuffer& operator=(AlignedBuffer&& o) noexcept {
    std::swap(memory_, o.memory_);
    std::swap(data_, o.data_);
    std::swap(bytes_, o.bytes_);
    return *this;
  }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;

  // Zeros. False: out of memory.
  [[nodiscard]] bool allocate(size_t bytes) {
    if (!allocate_unset(bytes)) return false;
    std::memset(data_, 0, bytes);
    return true;
  }
  // The same for what is then written to the last byte.
  [[nodiscard]] bool allocate_unset(size_t bytes) {
    return hold(memory_.allocate(bytes) ? memory_.data() : nullptr, bytes);
  }
  // That, in a store that outlives this: of packed weights.
  [[nodiscard]] bool allocate_in(PackedStore& store, size_t bytes) {
    memory_ = Memory();
    return hold(store.take(bytes), bytes);
  }
  uint8_t* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  bool hold(uint8_t* data, size_t bytes) {
    data_ = data;
    bytes_ = data == nullptr ? 0 : bytes;
    return data != nullptr;
  }

  Memory memory_;
  uint8_t* data_ = nullptr;  // in memory_, or in a store
  size_t bytes_ = 0;
};

}  // namespace octavo
