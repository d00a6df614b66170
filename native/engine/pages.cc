#include "engine/pages.h"

#include <sys/mman.h>

#include <utility>

namespace octavo {

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
  if (data_ != nullptr) munmap(data_, size_);
  data_ = nullptr;
  size_ = 0;
}

}  // namespace octavo
