#include "engine/pages.h"

#include <sys/mman.h>

#include <iterator>
#include <utility>
#include <vector>

#include "engine/thread.h"

namespace octavo {
namespace {

// Blocks that were released last.
class Shelf {
 public:
  // Never destroyed: models may be released while the process ends.
  static Shelf& get() {
    static Shelf* const shelf = new Shelf;
    return *shelf;
  }

  // A block of this size, or a little larger; nullptr: none.
  uint8_t* take(size_t bytes, size_t* size) {
    Lock lock(mutex_);
    for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
      if (block->size < bytes || block->size - bytes > bytes / 8) continue;
      uint8_t* const data = block->data;
      *size = block->size;
      held_ -= block->size;
      blocks_.erase(std::next(block).base());
      return data;
    }
    return nullptr;
  }

  void put(uint8_t* data, size_t size) {
#ifdef MADV_FREE
    if (size <= kMost && madvise(data, size, MADV_FREE) == 0) {
      Lock lock(mutex_);
      blocks_.push_back({data, size});
      for (held_ += size; held_ > kMost; blocks_.erase(blocks_.begin())) {
        munmap(blocks_.front().data, blocks_.front().size);
        held_ -= blocks_.front().size;
      }
      return;
    }
#endif
    munmap(data, size);
  }

 private:
  static constexpr size_t kMost = size_t{64} << 20;
  struct Block {
    uint8_t* data;
    size_t size;
  };

  Mutex mutex_;
  std::vector<Block> blocks_;
  size_t held_ = 0;
};

}  // namespace

Pages& Pages::operator=(Pages&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

bool Pages::allocate(size_t bytes) {
  release();
  constexpr size_t kAnyPage = size_t{64} << 10;  // a multiple of every system's page
  if (bytes == 0 || bytes > static_cast<size_t>(PTRDIFF_MAX) - kHugePage - kAnyPage) return false;
  const size_t size = (bytes + kAnyPage - 1) / kAnyPage * kAnyPage;
  data_ = Shelf::get().take(size, &size_);
  if (data_ != nullptr) return true;
  void* const mapped = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return false;
  // Mappings begin at any small page: what lies before the first huge one and behind the last byte goes back.
  auto* const begin = static_cast<uint8_t*>(mapped);
  const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
  if (before != 0) munmap(begin, before);
  munmap(begin + before + size, kHugePage - before);
  data_ = begin + before;
  size_ = size;
#ifdef MADV_HUGEPAGE
  // Refused where the kernel has none: small pages do as well.
  madvise(data_, size_, MADV_HUGEPAGE);
#endif
  return true;
}

void Pages::release() {
  if (data_ != nullptr) Shelf::get().put(data_, size_);
  data_ = nullptr;
  size_ = 0;
}

}  // namespace octavo
