#include "engine/arena.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "engine/memory.h"

namespace octavo {
namespace {

// Above this number of blocks the quadratic search costs more than it saves.
constexpr size_t kMaxGreedy = 3000;

size_t padded(const Lifetime& block) { return align_up(block.bytes + kReadSlack); }

size_t by_size(std::vector<Lifetime>& blocks) {
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return blocks[a].bytes != blocks[b].bytes ? blocks[a].bytes > blocks[b].bytes : a < b;
  });
  std::vector<size_t> placed;  // by offset
  placed.reserve(blocks.size());
  size_t total = 0;
  for (size_t index : order) {
    Lifetime& block = blocks[index];
    const size_t need = padded(block);
    size_t end = 0, best = std::numeric_limits<size_t>::max(), best_gap = best;
    for (size_t other_index : placed) {
      const Lifetime& other = blocks[other_index];
      if (other.last < block.first || block.last < other.first) continue;
      if (other.offset >= end) {
        const size_t gap = other.offset - end;
        if (gap >= need && gap < best_gap) {
          best_gap = gap;
          best = end;
        }
      }
      end = std::max(end, other.offset + padded(other));
    }
    block.offset = best == std::numeric_limits<size_t>::max() ? end : best;
    total = std::max(total, block.offset + need);
    const auto at = std::upper_bound(placed.begin(), placed.end(), block.offset,
                                     [&](size_t offset, size_t b) { return offset < blocks[b].offset; });
    placed.insert(at, index);
  }
  return total;
}

// In the order of time, with a list of free ranges.
size_t by_time(std::vector<Lifetime>& blocks) {
  std::vector<size_t> starts(blocks.size()), ends;
  std::iota(starts.begin(), starts.end(), size_t{0});
  ends = starts;
  std::sort(starts.begin(), starts.end(), [&](size_t a, size_t b) {
    return blocks[a].first != blocks[b].first ? blocks[a].first < blocks[b].first : a < b;
  });
  std::sort(ends.begin(), ends.end(), [&](size_t a, size_t b) {
    return blocks[a].last != blocks[b].last ? blocks[a].last < blocks[b].last : a < b;
  });
  std::multimap<size_t, size_t> by_length;  // length -> offset
  std::map<size_t, size_t> by_offset;       // offset -> length
  const auto forget = [&](size_t offset, size_t length) {
    by_offset.erase(offset);
    for (auto [at, end] = by_length.equal_range(length); at != end; ++at)
      if (at->second == offset) {
        by_length.erase(at);
        return;
      }
  };
  const auto release = [&](size_t offset, size_t length) {
    const auto next = by_offset.lower_bound(offset);
    if (next != by_offset.end() && next->first == offset + length) {
      const size_t more = next->second;
      forget(offset + length, more);
      length += more;
    }
    const auto after = by_offset.lower_bound(offset);
    if (after != by_offset.begin()) {
      const auto [before, before_length] = *std::prev(after);
      if (before + before_length == offset) {
        forget(before, before_length);
        offset = before;
        length += before_length;
      }
    }
    by_offset[offset] = length;
    by_length.emplace(length, offset);
  };
  size_t total = 0, freed = 0;
  for (size_t index : starts) {
    Lifetime& block = blocks[index];
    while (freed < ends.size() && blocks[ends[freed]].last < block.first) {
      const Lifetime& dead = blocks[ends[freed++]];
      release(dead.offset, padded(dead));
    }
    const size_t need = padded(block);
    const auto fit = by_length.lower_bound(need);
    if (fit == by_length.end()) {
      block.offset = total;
      total += need;
    } else {
      const size_t length = fit->first;
      block.offset = fit->second;
      forget(block.offset, length);
      if (length > need) release(block.offset + need, length - need);
    }
  }
  return total;
}

}  // namespace

Status lay_out(std::vector<Lifetime>& blocks, size_t* total) {
  size_t sum = 0;
  for (const Lifetime& block : blocks) {
    if (block.bytes > std::numeric_limits<size_t>::max() / 4 || sum > std::numeric_limits<size_t>::max() / 4)
      return Status::Error(Code::kLimit, "the tensors are larger than the address space");
    sum += padded(block);
  }
  *total = blocks.size() <= kMaxGreedy ? by_size(blocks) : by_time(blocks);
  return Status::Ok();
}

}  // namespace octavo
