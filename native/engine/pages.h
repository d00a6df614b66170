// Memory straight from the system, in huge pages where it has them. Every 4 KiB page that is touched first costs a
// fault, and in use the kernels walk weights from end to end: one entry of the TLB then covers 2 MiB. Some of what is
// released stays at hand, as malloc keeps what is freed: the system may take it when it needs memory, and the next
// model finds it paged in.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octavo {

constexpr size_t kHugePage = size_t{2} << 20;

// Gives the system back what malloc keeps of freed memory, where it can be told to.
void return_freed_memory();

class Pages {
 public:
  Pages() = default;
  Pages(Pages&& other) noexcept { *this = static_cast<Pages&&>(other); }
  Pages& operator=(Pages&& other) noexcept;
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() { release(); }

  // At a multiple of kHugePage; what is in it is not set. What is never touched takes no memory. Drops what it held.
  // False: out of memory.
  [[nodiscard]] bool allocate(size_t bytes);
  void release();

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace octavo
