// Copies of single elements, or short runs of them, whose width is known only at bind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace octavo::ops {

// Copies `bytes` from src to dst; the widths of elements are plain moves.
inline void copy_bytes(uint8_t* dst, const uint8_t* src, size_t bytes) {
  switch (bytes) {
    case 1: *dst = *src; return;
    case 2: std::memcpy(dst, src, 2); return;
    case 4: std::memcpy(dst, src, 4); return;
    case 8: std::memcpy(dst, src, 8); return;
    default: std::memcpy(dst, src, bytes);
  }
}

// `count` times the same `bytes`.
inline void repeat_bytes(uint8_t* dst, const uint8_t* value, size_t bytes, int64_t count) {
  if (bytes == 1) {
    if (count > 0) std::memset(dst, *value, static_cast<size_t>(count));
    return;
  }
  for (int64_t i = 0; i < count; ++i, dst += bytes) copy_bytes(dst, value, bytes);
}

// Items per task when an item moves `bytes`: at least 64 KiB, so that a task is worth a thread.
inline int64_t items_per_task(int64_t bytes) { return bytes >= 65536 ? 1 : 65536 / (bytes > 0 ? bytes : 1); }

}  // namespace octavo::ops
