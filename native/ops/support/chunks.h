// How elementwise work is cut: by the number of elements alone, never by the number of threads.
#pragma once

#include "engine/thread_pool.h"

namespace octavo::ops {

constexpr int64_t kChunk = 16384;  // elements of one task: 64 KiB of float32

// f(begin, end) for consecutive pieces of [0, n).
template <class F>
void for_chunks(ThreadPool& pool, int64_t n, F f) {
  if (n <= kChunk) {
    if (n > 0) f(int64_t{0}, n);
    return;
  }
  pool.for_each((n + kChunk - 1) / kChunk, [&](int64_t task, int) {
    const int64_t begin = task * kChunk;
    f(begin, n - begin < kChunk ? n : begin + kChunk);
  });
}

// f(row) for rows of `width` elements each, several of them per task where they are short.
template <class F>
void for_rows(ThreadPool& pool, int64_t rows, int64_t width, F f) {
  const int64_t each = width >= kChunk ? 1 : kChunk / (width > 0 ? width : 1);
  if (rows <= each) {
    for (int64_t row = 0; row < rows; ++row) f(row);
    return;
  }
  pool.for_each((rows + each - 1) / each, [&](int64_t task, int) {
    const int64_t begin = task * each, end = rows - begin < each ? rows : begin + each;
    for (int64_t row = begin; row < end; ++row) f(row);
  });
}

}  // namespace octavo::ops
