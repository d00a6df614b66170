// Copies between two views of any strides: what Transpose, Slice, Split, Concat, Expand and Tile have in common.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/op.h"

namespace octavo::ops {

// One axis of a copy: its size, and the distance of neighbours in both tensors, in elements. Source strides may be
// zero (broadcast) or negative; target strides must make every element distinct.
struct CopyAxis {
  int64_t size;
  int64_t src;
  int64_t dst;
};

class StridedCopy {
 public:
  static constexpr int kMaxAxes = 2 * kMaxRank;

  // Axes in any order; width: bytes of an element, 1, 2, 4 or 8. Strides times width must fit 63 bits.
  void plan(const CopyAxis* axes, int count, size_t width);
  // src and dst: addresses of the element at index zero of all axes.
  void run(const void* src, void* dst, ThreadPool& pool) const;

 private:
  enum class Inner { kNothing, kRow, kRepeat, kStrided, kTile };

  void range(const uint8_t* src, uint8_t* dst, int64_t task) const;
  void inner(const uint8_t* src, uint8_t* dst, int64_t begin, int64_t end) const;

  Inner kind_ = Inner::kNothing;
  size_t width_ = 1;
  CopyAxis axis_ = {};             // the innermost loop; of a tile: the one along which the source is dense
  CopyAxis across_ = {};           // of a tile: the one along which the target is dense
  CopyAxis outer_[kMaxAxes] = {};  // slowest first
  int outers_ = 0;
  int64_t outer_count_ = 1;
  int64_t part_ = 1;   // indices of axis_ per piece
  int64_t parts_ = 1;  // pieces of axis_
  int64_t group_ = 1;  // outer indices per task (1 if parts_ > 1)
  int64_t tasks_ = 0;
};

// A step that is one such copy of its input. Its prepare plans it.
class BoundCopy : public Bound {
 public:
  Status run(RunContext& c) override {
    copy_.run(c.input(0), c.output(0), c.pool());
    return Status::Ok();
  }

 protected:
  StridedCopy copy_;
};

}  // namespace octavo::ops
