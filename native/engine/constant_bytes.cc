#include "engine/constant_bytes.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace octavo {
namespace {

// Below, malloc has memory that was touched already.
constexpr size_t kLarge = size_t{64} << 10;

// pread and not mmap: a file that shrinks meanwhile is an error then, and not a signal.
Status read_file(const Buffer& buffer, uint8_t* to) {
  for (size_t done = 0; done < buffer.size;) {
    const ssize_t count = pread(buffer.file, to + done, buffer.size - done, static_cast<off_t>(buffer.offset + done));
    if (count > 0) done += static_cast<size_t>(count);
    else if (count == 0) return Status::Error(Code::kIo, "a file of the model ended early: was it written to?");
    else if (errno != EINTR)
      return Status::Error(Code::kIo, std::string("reading a file of the model: ") + std::strerror(errno));
  }
  return Status::Ok();
}

}  // namespace

size_t bytes_to_read(const Plan& plan, const std::vector<Buffer>& buffers) {
  std::vector<char> counted(buffers.size(), 0);
  size_t bytes = 0;
  for (const PlanTensor& t : plan.tensors) {
    if (t.kind != TensorKind::kConstant || counted[static_cast<size_t>(t.buffer)]) continue;
    counted[static_cast<size_t>(t.buffer)] = 1;
    bytes += std::min(buffers[static_cast<size_t>(t.buffer)].size, SIZE_MAX / 4 - bytes);
  }
  return bytes;
}

Status ConstantBytes::open(int32_t buffer, const uint8_t** data) {
  const Buffer& b = at(buffer);
  *data = b.data;
  if (b.file < 0) return Status::Ok();
  std::shared_ptr<Memory>& read = read_[static_cast<size_t>(buffer)];
  if (read == nullptr) {
    std::shared_ptr<Memory> memory;
    if (b.size >= kLarge && spare_ != nullptr && spare_->size() >= b.size) {
      memory = std::move(spare_);
    } else {
      memory = std::make_shared<Memory>();
      if (!memory->allocate(b.size))
        return Status::Error(Code::kOutOfMemory, "no memory for a constant of " + std::to_string(b.size) + " bytes");
    }
    OCTAVO_RETURN_IF_ERROR(read_file(b, memory->data()));
    read = std::move(memory);
  }
  *data = read->data();
  return Status::Ok();
}

void ConstantBytes::drop(int32_t buffer) {
  std::shared_ptr<Memory>& read = read_[static_cast<size_t>(buffer)];
  // What was kept is somebody's, and stays.
  if (read != nullptr && read.use_count() == 1 && (spare_ == nullptr || read->size() > spare_->size()))
    std::swap(spare_, read);
  read.reset();
}

Status ConstantBytes::keep(int32_t buffer, std::shared_ptr<const Memory>* memory) {
  const Buffer& b = at(buffer);
  std::shared_ptr<Memory>& read = read_[static_cast<size_t>(buffer)];
  const uint8_t* data = nullptr;
  OCTAVO_RETURN_IF_ERROR(open(buffer, &data));
  if (read == nullptr || read->size() != b.size) {
    auto copy = std::make_shared<Memory>();
    if (!copy->allocate(b.size))
      return Status::Error(Code::kOutOfMemory, "no memory for a constant of " + std::to_string(b.size) + " bytes");
    if (b.size != 0) std::memcpy(copy->data(), data, b.size);
    read = std::move(copy);
  }
  *memory = read;
  return Status::Ok();
}

}  // namespace octavo
