// Bytes of a plan's constants while it is loaded: the caller's memory, or files, which are read when a step needs them.
#pragma once

#include <memory>
#include <vector>

#include "engine/memory.h"
#include "engine/plan.h"
#include "engine/status.h"

namespace octavo {

// Bytes of the buffers that the constants of a plan read, each once.
size_t bytes_to_read(const Plan& plan, const std::vector<Buffer>& buffers);

class ConstantBytes {
 public:
  explicit ConstantBytes(const std::vector<Buffer>& buffers) : buffers_(buffers), read_(buffers.size()) {}

  bool in_file(int32_t buffer) const { return at(buffer).file >= 0; }
  // Reads what is in a file. The bytes stay until drop.
  Status open(int32_t buffer, const uint8_t** data);
  void drop(int32_t buffer);
  // Memory that outlives the load.
  Status keep(int32_t buffer, std::shared_ptr<const Memory>* memory);

 private:
  const Buffer& at(int32_t buffer) const { return buffers_[static_cast<size_t>(buffer)]; }

  const std::vector<Buffer>& buffers_;
  std::vector<std::shared_ptr<Memory>> read_;
  std::shared_ptr<Memory> spare_;  // the largest that was dropped: touched already
};

}  // namespace octavo
