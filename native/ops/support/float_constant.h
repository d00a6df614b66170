// A constant of float32 that is packed at load.
#pragma once

#include <cstdint>
#include <cstring>

#include "ops/support/aligned_buffer.h"

namespace octavo {

// Floats of a model: where they are, or a copy where their address is not one of floats.
class FloatConstant {
 public:
  // False: out of memory.
  [[nodiscard]] bool open(const void* data, size_t bytes) {
    data_ = static_cast<const float*>(data);
    if (reinterpret_cast<uintptr_t>(data) % alignof(float) == 0) return true;
    if (!copy_.allocate_unset(bytes)) return false;
    std::memcpy(copy_.data(), data, bytes);
    data_ = copy_.as<float>();
    return true;
  }
  const float* data() const { return data_; }

 private:
  const float* data_ = nullptr;
  AlignedBuffer copy_;
};

}  // namespace octavo
