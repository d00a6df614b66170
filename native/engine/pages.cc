#include "engine/pages.h"

#include <sys/mman.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <utility>

#include "engine/thread.h"

namespace octavo {
namespace {

// Blocks that were released last. In an array: to release must not need memory.
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
    for (int i = count_ - 1; i >= 0; --i)
      if (blocks_[i].size >= bytes && blocks_[i].size - bytes <= bytes / 8) {
        *size = blocks_[i].size;
        return remove(i);
      }
    return nullptr;
  }

  void put(uint8_t* data, size_t size) {
#ifdef MADV_FREE
    if (size <= kMostBytes && madvise(data, size, MADV_FREE) == 0) {
      Lock lock(mutex_);
      while (count_ == kMostBlocks || held_ + size > kMostBytes) {
        const size_t oldest = blocks_[0].size;
        munmap(remove(0), oldest);
      }
      blocks_[count_++] = {data, size};
      held_ += size;
      return;
    }
#endif
    munmap(data, size);
  }

 private:
  static constexpr size_t kMostBytes = size_t{64} << 20;
  static constexpr int kMostBlocks = 16;
  struct Block {
    uint8_t* data;
    size_t size;
  };

  uint8_t* remove(int i) {
    uint8_t* const data = blocks_[i].data;
    held_ -= blocks_[i].size;
    std::copy(blocks_ + i + 1, blocks_ + count_, blocks_ + i);
    --count_;
    return data;
  }

  Mutex mutex_;
  Block blocks_[kMostBlocks];  // the oldest first
  int count_ = 0;
  size_t held_ = 0;
};

}  // namespace

void return_freed_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

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
  // Mappings begin at any small page: what lies before the first huge one and after the last byte goes back.
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
