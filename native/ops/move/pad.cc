// Pad: constant, reflect, edge, wrap; negative pads crop first, as a Slice before the Pad would.
#include <algorithm>

#include "ops/move/copy_elements.h"
#include "ops/support/op_support.h"

namespace octavo {
namespace {

enum class Mode { kConstant, kReflect, kEdge, kWrap };

struct Attributes {
  Mode mode = Mode::kConstant;
  Status load(const LoadContext& c) {
    const std::string name = c.text("mode", "constant");
    if (name == "constant") mode = Mode::kConstant;
    else if (name == "reflect") mode = Mode::kReflect;
    else if (name == "edge") mode = Mode::kEdge;
    else if (name == "wrap") mode = Mode::kWrap;
    else return c.error(Code::kUnsupported, "expected mode constant, reflect, edge or wrap, got " + name);
    return Status::Ok();
  }
};

int64_t positive_modulo(int64_t a, int64_t n) { return (a % n + n) % n; }

// Where index i of the padded axis comes from, in a cropped axis of n elements; -1: the constant.
int64_t source_index(Mode mode, int64_t i, int64_t n) {
  if (i >= 0 && i < n) return i;
  switch (mode) {
    case Mode::kConstant: return -1;
    case Mode::kEdge: return i < 0 ? 0 : n - 1;
    case Mode::kWrap: return positive_modulo(i, n);
    case Mode::kReflect: {
      if (n == 1) return 0;
      const int64_t at = positive_modulo(i, 2 * (n - 1));
      return at < n ? at : 2 * (n - 1) - at;
    }
  }
  return -1;
}

class Pad final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    const Shape &in = c.in(0), &out = c.out(0);
    size_t width;
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 0, &width));
    if (c.has_input(1) && (c.in_type(1) != c.in_type(0) || c.in(1).elements() != 1))
      return c.error(Code::kShape, std::string("expected a ") + dtype_name(c.in_type(0)) + " scalar as value, got " +
                                       dtype_name(c.in_type(1)) + ops::dims_text(c.in(1)));
    const std::vector<int64_t> pads = c.integers("pads");
    if (out.rank != in.rank || pads.size() != 2 * static_cast<size_t>(in.rank))
      return c.error(Code::kInvalidPlan, "expected two pads per axis of the input, got " + std::to_string(pads.size()));
    for (int i = 0; i < in.rank; ++i) {
      const int64_t begin = pads[i], end = pads[in.rank + i];
      constexpr int64_t kBound = int64_t{1} << 40;
      if (begin < -kBound || begin > kBound || end < -kBound || end > kBound || in[i] + begin + end != out[i])
        return c.error(Code::kShape, "axis " + std::to_string(i) + ": " + std::to_string(in[i]) + " padded by " +
                                         std::to_string(begin) + " and " + std::to_string(end) + " does not give " +
                                         std::to_string(out[i]));
    }
    if (out.elements() == 0) return Status::Ok();
    // Trailing axes that are not padded make one wide element.
    int axes = in.rank;
    element_ = width;
    while (axes > 0 && pads[axes - 1] == 0 && pads[in.rank + axes - 1] == 0)
      element_ *= static_cast<size_t>(in[--axes]);
    rank_ = axes;
    width_ = width;
    int64_t stride = static_cast<int64_t>(element_);
    for (int i = axes - 1; i >= 0; --i) {
      const int64_t begin = pads[i], end = pads[in.rank + i];
      const int64_t cut = std::max<int64_t>(0, -begin), n = in[i] - cut - std::max<int64_t>(0, -end);
      if (n <= 0 && a.mode != Mode::kConstant)
        return c.error(Code::kShape,
                       "axis " + std::to_string(i) + " has nothing to repeat, its size is " + std::to_string(in[i]));
      maps_[i].resize(static_cast<size_t>(out[i]));
      for (int64_t o = 0; o < out[i]; ++o) {
        const int64_t from = source_index(a.mode, o - std::max<int64_t>(0, begin), n);
        maps_[i][o] = from < 0 ? -1 : (from + cut) * stride;
      }
      if (i == axes - 1) {
        inside_begin_ = std::min(std::max<int64_t>(0, begin), out[i]);
        inside_end_ = std::max(inside_begin_, std::min(out[i], inside_begin_ + n));
      }
      stride *= in[i];
    }
    row_ = axes > 0 ? out[axes - 1] : 1;
    rows_ = axes > 0 ? ops::span(out, 0, axes - 1) : 1;
    return Status::Ok();
  }

  Status run(RunContext& c) override {
    if (rows_ == 0) return Status::Ok();
    const uint8_t* x = c.in<uint8_t>(0);
    uint8_t* y = c.out<uint8_t>(0);
    if (rank_ == 0) {
      std::memcpy(y, x, element_);
      return Status::Ok();
    }
    static const uint8_t kZero[8] = {};
    const uint8_t* value = c.input(1) ? c.in<uint8_t>(1) : kZero;
    const int64_t row_bytes = row_ * static_cast<int64_t>(element_), group = ops::items_per_task(row_bytes);
    c.pool().for_each((rows_ + group - 1) / group, [&](int64_t task, int) {
      for (int64_t r = task * group; r < std::min(rows_, (task + 1) * group); ++r)
        pad_row(x, y + r * row_bytes, r, value);
    });
    return Status::Ok();
  }

 private:
  void constant(uint8_t* y, int64_t elements, const uint8_t* value) const {
    ops::repeat_bytes(y, value, width_, elements * static_cast<int64_t>(element_ / width_));
  }
  void pad_row(const uint8_t* x, uint8_t* y, int64_t row, const uint8_t* value) const {
    int64_t base = 0;
    for (int i = rank_ - 2; i >= 0; --i) {
      const int64_t size = static_cast<int64_t>(maps_[i].size()), from = maps_[i][row % size];
      if (from < 0) return constant(y, row_, value);
      base += from;
      row /= size;
    }
    const std::vector<int64_t>& map = maps_[rank_ - 1];
    const auto one_by_one = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        uint8_t* to = y + i * static_cast<int64_t>(element_);
        if (map[i] < 0) constant(to, 1, value);
        else ops::copy_bytes(to, x + base + map[i], element_);
      }
    };
    one_by_one(0, inside_begin_);
    if (inside_end_ > inside_begin_)
      std::memcpy(y + inside_begin_ * static_cast<int64_t>(element_), x + base + map[inside_begin_],
                  static_cast<size_t>(inside_end_ - inside_begin_) * element_);
    one_by_one(inside_end_, row_);
  }

  int rank_ = 0;                         // axes, without the trailing ones that are part of an element
  size_t width_ = 1, element_ = 1;       // bytes of the type, and of an element of this loop
  std::vector<int64_t> maps_[kMaxRank];  // byte offset into the input for every index of the output; -1: the constant
  int64_t rows_ = 0, row_ = 0;
  int64_t inside_begin_ = 0, inside_end_ = 0;  // of the last axis: the part that is a plain copy
};

}  // namespace

Status make_pad(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Pad>(c, op); }

}  // namespace octavo
