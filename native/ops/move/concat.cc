// Concat and Split: ranges of one axis, copied together or apart.
#include "ops/support/op_support.h"
#include "ops/move/strided_copy.h"

namespace octavo {
namespace {

// The part [start, start + part[axis]) of `whole` along `axis`, as a copy with the part dense.
struct Piece {
  int tensor = 0;
  int64_t offset = 0;  // bytes into the whole
  ops::StridedCopy copy;
};

// Checks that `part` is `whole` but for its axis, and plans the copy.
Status plan_piece(BindContext& c, const Shape& whole, const Shape& part, int axis, int64_t start, size_t width,
                  bool split, Piece* piece) {
  Shape expected = whole;
  if (part.rank == whole.rank) expected.dims[axis] = part[axis];
  OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, split ? "output" : "input", expected, part));
  const int64_t inner = ops::span(whole, axis + 1, whole.rank);
  const int64_t whole_row = whole[axis] * inner, part_row = part[axis] * inner;
  if (part[axis] > whole[axis] - start)
    return c.error(Code::kShape, "the parts are longer than the whole along axis " + std::to_string(axis));
  const ops::CopyAxis axes[] = {{ops::span(whole, 0, axis), split ? whole_row : part_row, split ? part_row : whole_row},
                                {part_row, 1, 1}};
  piece->offset = start * inner * static_cast<int64_t>(width);
  piece->copy.plan(axes, 2, width);
  return Status::Ok();
}

struct Attributes {
  int64_t axis = 0;
  int parts = 0;
  bool split = false;
  Status load(const LoadContext& c) {
    split = c.op() == "Split";
    parts = split ? c.outputs() : c.inputs();
    axis = c.integer("axis", 0);
    return Status::Ok();
  }
};

class Pieces final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    split_ = a.split;
    const Shape& whole = split_ ? c.in(0) : c.out(0);
    const DType type = split_ ? c.in_type(0) : c.out_type(0);
    const size_t width = byte_size(type);
    if (width == 0) return c.error(Code::kUnsupported, std::string("elements of type ") + dtype_name(type));
    if (a.axis < 0 || a.axis >= whole.rank)
      return c.error(Code::kInvalidPlan, "axis " + std::to_string(a.axis) + " of rank " + std::to_string(whole.rank));
    const int axis = static_cast<int>(a.axis);
    pieces_.reserve(a.parts);
    int64_t start = 0;
    for (int i = 0; i < a.parts; ++i) {
      const DType part_type = split_ ? c.out_type(i) : c.in_type(i);
      if (part_type != type)
        return c.error(Code::kInvalidPlan,
                       std::string("parts of types ") + dtype_name(type) + " and " + dtype_name(part_type));
      const Shape& part = split_ ? c.out(i) : c.in(i);
      Piece piece;
      piece.tensor = i;
      OCTAVO_RETURN_IF_ERROR(plan_piece(c, whole, part, axis, start, width, split_, &piece));
      start += part[axis];
      pieces_.push_back(piece);
    }
    if (start != whole[axis])
      return c.error(Code::kShape, "the parts add up to " + std::to_string(start) + " of " +
                                       std::to_string(whole[axis]) + " along axis " + std::to_string(axis));
    return Status::Ok();
  }
  Status run(RunContext& c) override {
    for (const Piece& piece : pieces_) {
      if (split_) piece.copy.run(c.in<uint8_t>(0) + piece.offset, c.output(piece.tensor), c.pool());
      else piece.copy.run(c.input(piece.tensor), c.out<uint8_t>(0) + piece.offset, c.pool());
    }
    return Status::Ok();
  }

 private:
  bool split_ = false;
  std::vector<Piece> pieces_;
};

}  // namespace

Status make_concat(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Pieces>(c, op); }
Status make_split(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Pieces>(c, op); }

}  // namespace octavo
