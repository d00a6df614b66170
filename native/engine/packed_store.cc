#include "engine/packed_store.h"

#include <algorithm>

namespace octavo {
namespace {

// Panels are padded to whole tiles: a few percent of most models. What is not used is not touched.
constexpr size_t kPadding = 8;

}  // namespace

uint8_t* PackedStore::take(size_t bytes) {
  if (bytes > static_cast<size_t>(PTRDIFF_MAX) / 2) return nullptr;
  const size_t whole = align_up(bytes) + kReadSlack;
  if (left_ < whole) {
    const size_t all = expected_ < kHugePage ? 0 : expected_ + expected_ / kPadding;
    const size_t shared = blocks_.empty() ? all : all / kPadding;
    Memory block;
    // A system that grants no more than it has may refuse what is never touched.
    if ((shared <= whole || !block.allocate(shared)) && !block.allocate(whole)) return nullptr;
    left_ = block.size();
    blocks_.push_back(std::move(block));
  }
  Memory& block = blocks_.back();
  uint8_t* const memory = block.data() + (block.size() - left_);
  left_ -= whole;
  std::memset(memory + bytes, 0, whole - bytes);
  return memory;
}

}  // namespace octavo
