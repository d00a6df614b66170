// Scratch memory of a step, described once: what is added while the step is bound is found again while it runs. A step
// has one plan for the block that its tasks share and one for the block of a thread.
//
//   ScratchPlan plan;
//   sums_ = plan.add<int32_t>(columns);          // at bind
//   if (!plan.fits()) return c.error(...);
//   c.scratch(plan.bytes(), 0);
//   int32_t* sums = sums_.in(c.shared_scratch());  // at run
#pragma once

#include <cstddef>
#include <cstdint>

namespace octavo {

// Where an array of T lies in a block of scratch.
template <class T>
class ScratchArray {
 public:
  ScratchArray() = default;
  explicit ScratchArray(size_t offset) : offset_(offset) {}
  T* in(void* block) const { return reinterpret_cast<T*>(static_cast<uint8_t*>(block) + offset_); }

 private:
  size_t offset_ = 0;
};

class ScratchPlan {
 public:
  // Room for `count` elements and `slack` bytes after them that may be read; 64-byte aligned, as blocks are.
  template <class T>
  ScratchArray<T> add(size_t count, size_t slack = 0) {
    const size_t offset = bytes_;
    size_t bytes = 0;
    fits_ = fits_ && !__builtin_mul_overflow(count, sizeof(T), &bytes) &&
            !__builtin_add_overflow(bytes, slack, &bytes) && bytes <= kMost &&
            offset + (bytes + kAlignment - 1) / kAlignment * kAlignment <= kMost;
    if (fits_) bytes_ = offset + (bytes + kAlignment - 1) / kAlignment * kAlignment;
    return ScratchArray<T>(offset);
  }
  // The block must hold this many bytes.
  size_t bytes() const { return bytes_; }
  // False: what was added is more than memory can be.
  [[nodiscard]] bool fits() const { return fits_; }

 private:
  static constexpr size_t kAlignment = 64, kMost = PTRDIFF_MAX / 4;

  size_t bytes_ = 0;
  bool fits_ = true;
};

}  // namespace octavo
