// A segment of a program with sizes: operators bound, the arena laid out. The last few are kept.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "engine/evaluate.h"
#include "engine/op.h"
#include "engine/program.h"

namespace octavo {

struct BoundStep {
  int32_t step = 0;
  std::unique_ptr<Bound> bound;                                    // null: nothing to compute, the outputs are empty
  size_t shared_offset = 0, thread_offset = 0, thread_stride = 0;  // scratch in the arena
};

struct Binding {
  struct Place {
    int32_t tensor;
    size_t offset;
  };
  std::vector<int64_t> key;  // values of the symbols, unknown ones 0
  std::vector<BoundStep> steps;
  std::vector<Place> places;  // of the scratch and output tensors that the segment's steps write
  size_t arena_bytes = 0;
};

// Binds the steps of a segment. shapes: by tensor; those the segment needs are filled in.
Status bind_segment(const Program& program, int32_t segment, const Sizes& sizes, std::vector<Shape>& shapes,
                    int threads, std::unique_ptr<Binding>* binding, int32_t* step);

// Sizes of the tensors that the segment's steps touch. Outputs that a step provides have -1 where not known.
Status segment_shapes(const Program& program, int32_t segment, const Sizes& sizes, std::vector<Shape>& shapes,
                      int32_t* step);

// The bindings of one segment, most recent first.
class BindingCache {
 public:
  Binding* find(const std::vector<int64_t>& key);
  Binding* add(std::unique_ptr<Binding> binding);

 private:
  static constexpr size_t kKept = 8;
  std::list<std::unique_ptr<Binding>> recent_;
};

}  // namespace octavo
