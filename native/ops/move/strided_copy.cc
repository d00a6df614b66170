#include "ops/move/strided_copy.h"

#include <algorithm>
#include <cstring>

#include "ops/move/transpose_tile.h"

namespace octavo::ops {
namespace {

// Bytes a task should move: big enough to pay for waking a thread, small enough to balance and stay in L2.
constexpr int64_t kTaskBytes = 128 * 1024;

template <class T>
void strided(const uint8_t* src, uint8_t* dst, int64_t n, int64_t src_step, int64_t dst_step) {
  for (int64_t i = 0; i < n; ++i) {
    T value;
    std::memcpy(&value, src, sizeof(T));
    std::memcpy(dst, &value, sizeof(T));
    src += src_step;
    dst += dst_step;
  }
}

struct Wide {
  uint64_t half[2];
};

}  // namespace

void StridedCopy::plan(const CopyAxis* axes, int count, size_t width) {
  *this = StridedCopy();
  width_ = width;
  CopyAxis list[kMaxAxes];
  int n = 0;
  for (int i = 0; i < count; ++i) {
    if (axes[i].size <= 0) return;  // nothing to copy
    if (axes[i].size > 1) list[n++] = axes[i];
  }
  // Slowest in the target first; then neighbours that are one axis in both tensors become one.
  std::stable_sort(list, list + n, [](const CopyAxis& a, const CopyAxis& b) { return a.dst > b.dst; });
  int merged = 0;
  for (int i = 0; i < n; ++i) {
    CopyAxis& last = list[merged - (merged > 0)];
    if (merged > 0 && last.src == list[i].src * list[i].size && last.dst == list[i].dst * list[i].size)
      last = {last.size * list[i].size, list[i].src, list[i].dst};
    else list[merged++] = list[i];
  }
  n = merged;
  // Short dense rows are elements of a wider type.
  if (n > 1 && list[n - 1].src == 1 && list[n - 1].dst == 1) {
    const int64_t row = list[n - 1].size;
    const int64_t bytes = row > 16 ? 0 : row * static_cast<int64_t>(width);
    bool even = bytes == 2 || bytes == 4 || bytes == 8 || bytes == 16;
    for (int i = 0; i + 1 < n && even; ++i) even = list[i].src % row == 0 && list[i].dst % row == 0;
    if (even) {
      width_ = static_cast<size_t>(bytes);
      --n;
      for (int i = 0; i < n; ++i) list[i] = {list[i].size, list[i].src / row, list[i].dst / row};
    }
  }
  if (n == 0) list[n++] = {1, 1, 1};

  const int last = n - 1;
  axis_ = list[last];
  outers_ = last;
  kind_ = Inner::kStrided;
  if (axis_.dst == 1 && axis_.src == 1) {
    kind_ = Inner::kRow;
  } else if (axis_.dst == 1 && axis_.src == 0) {
    kind_ = Inner::kRepeat;
  } else if (axis_.dst == 1) {
    for (int i = 0; i < last; ++i) {
      if (list[i].src != 1) continue;
      kind_ = Inner::kTile;
      across_ = axis_;
      axis_ = list[i];
      std::copy(list + i + 1, list + last, list + i);
      outers_ = last - 1;
      break;
    }
  }
  std::copy(list, list + outers_, outer_);
  for (int i = 0; i < outers_; ++i) outer_count_ *= outer_[i].size;

  const int64_t per_index = static_cast<int64_t>(width_) * (kind_ == Inner::kTile ? across_.size : 1);
  const int64_t step = kind_ == Inner::kTile ? 64 : 1024;  // multiples of a cache line and of a tile
  part_ = axis_.size;
  if (axis_.size * per_index > 2 * kTaskBytes)
    part_ = std::min(axis_.size, std::max<int64_t>(1, kTaskBytes / per_index / step) * step);
  parts_ = (axis_.size + part_ - 1) / part_;
  if (parts_ == 1) group_ = std::max<int64_t>(1, kTaskBytes / std::max<int64_t>(1, axis_.size * per_index));
  tasks_ = parts_ > 1 ? outer_count_ * parts_ : (outer_count_ + group_ - 1) / group_;
}

void StridedCopy::inner(const uint8_t* src, uint8_t* dst, int64_t begin, int64_t end) const {
  const int64_t w = static_cast<int64_t>(width_);
  const int64_t src_step = axis_.src * w, dst_step = axis_.dst * w, n = end - begin;
  src += begin * src_step;
  dst += begin * dst_step;
  switch (kind_) {
    case Inner::kNothing: return;
    case Inner::kRow: std::memcpy(dst, src, static_cast<size_t>(n * w)); return;
    case Inner::kTile:
      switch (width_) {
        case 1: transpose_tiles<uint8_t>(src, across_.src, dst, axis_.dst, across_.size, n); return;
        case 2: transpose_tiles<uint16_t>(src, across_.src, dst, axis_.dst, across_.size, n); return;
        case 4: transpose_tiles<uint32_t>(src, across_.src, dst, axis_.dst, across_.size, n); return;
        case 8: transpose_tiles<uint64_t>(src, across_.src, dst, axis_.dst, across_.size, n); return;
        default: transpose_tiles<Wide>(src, across_.src, dst, axis_.dst, across_.size, n); return;
      }
    case Inner::kRepeat:
      if (width_ == 1) {
        std::memset(dst, *src, static_cast<size_t>(n));
        return;
      }
      [[fallthrough]];
    case Inner::kStrided:
      switch (width_) {
        case 1: strided<uint8_t>(src, dst, n, src_step, dst_step); return;
        case 2: strided<uint16_t>(src, dst, n, src_step, dst_step); return;
        case 4: strided<uint32_t>(src, dst, n, src_step, dst_step); return;
        case 8: strided<uint64_t>(src, dst, n, src_step, dst_step); return;
        default: strided<Wide>(src, dst, n, src_step, dst_step); return;
      }
  }
}

void StridedCopy::range(const uint8_t* src, uint8_t* dst, int64_t task) const {
  const int64_t w = static_cast<int64_t>(width_);
  const int64_t first = parts_ > 1 ? task / parts_ : task * group_;
  const int64_t count = parts_ > 1 ? 1 : std::min(group_, outer_count_ - first);
  const int64_t begin = parts_ > 1 ? task % parts_ * part_ : 0;
  const int64_t end = std::min(axis_.size, begin + part_);
  int64_t index[kMaxAxes];
  int64_t left = first;
  for (int i = outers_ - 1; i >= 0; --i) {
    index[i] = left % outer_[i].size;
    left /= outer_[i].size;
    src += index[i] * outer_[i].src * w;
    dst += index[i] * outer_[i].dst * w;
  }
  for (int64_t done = 0;;) {
    inner(src, dst, begin, end);
    if (++done == count) return;
    for (int i = outers_ - 1; i >= 0; --i) {
      src += outer_[i].src * w;
      dst += outer_[i].dst * w;
      if (++index[i] < outer_[i].size) break;
      index[i] = 0;
      src -= outer_[i].size * outer_[i].src * w;
      dst -= outer_[i].size * outer_[i].dst * w;
    }
  }
}

void StridedCopy::run(const void* src, void* dst, ThreadPool& pool) const {
  const auto* from = static_cast<const uint8_t*>(src);
  auto* to = static_cast<uint8_t*>(dst);
  if (tasks_ == 1) range(from, to, 0);
  else pool.for_each(tasks_, [&](int64_t task, int) { range(from, to, task); });
}

}  // namespace octavo::ops
