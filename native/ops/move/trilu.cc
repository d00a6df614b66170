// Trilu: keeps the triangle above (upper) or below the k-th diagonal, zeros elsewhere. EyeLike: ones on the k-th
// diagonal.
#include <algorithm>
#include <cstring>

#include "ops/move/copy_elements.h"
#include "ops/support/op_support.h"

namespace octavo {
namespace {

// k as a diagonal of a matrix of these sizes; what lies outside of the matrix is one step outside.
int64_t clamp_diagonal(int64_t k, int64_t rows, int64_t columns) { return std::min(columns, std::max(-rows, k)); }

struct TriluAttributes {
  bool upper = true;
  Status load(const LoadContext& c) {
    upper = c.integer("upper", 1) != 0;
    return Status::Ok();
  }
};

class Trilu final : public Bound {
 public:
  Status prepare(const TriluAttributes& a, BindContext& c) {
    const Shape& x = c.in(0);
    size_t width;
    OCTAVO_RETURN_IF_ERROR(ops::element_width(c, 0, &width));
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", x, c.out(0)));
    if (x.rank < 2) return c.error(Code::kShape, "expected a matrix, got " + ops::dims_text(x));
    const std::vector<int64_t> k = c.integers("k");
    width_ = static_cast<int64_t>(width);
    upper_ = a.upper;
    height_ = x[x.rank - 2];
    columns_ = x[x.rank - 1];
    rows_ = ops::span(x, 0, x.rank - 1);
    k_ = clamp_diagonal(k.empty() ? 0 : k[0], height_, columns_);
    return Status::Ok();
  }
  Status run(RunContext& c) override {
    const uint8_t* x = c.in<uint8_t>(0);
    uint8_t* y = c.out<uint8_t>(0);
    const int64_t bytes = columns_ * width_, group = ops::items_per_task(bytes);
    if (bytes == 0) return Status::Ok();
    c.pool().for_each((rows_ + group - 1) / group, [&](int64_t task, int) {
      for (int64_t r = task * group; r < std::min(rows_, (task + 1) * group); ++r) {
        // The lower triangle with its k-th diagonal, and what is right of it.
        const int64_t first = std::min(columns_, std::max<int64_t>(0, r % height_ + k_ + (upper_ ? 0 : 1))) * width_;
        const uint8_t* from = x + r * bytes;
        uint8_t* to = y + r * bytes;
        const size_t left = static_cast<size_t>(first), right = static_cast<size_t>(bytes - first);
        if (upper_) {
          std::memset(to, 0, left);
          std::memcpy(to + first, from + first, right);
        } else {
          std::memcpy(to, from, left);
          std::memset(to + first, 0, right);
        }
      }
    });
    return Status::Ok();
  }

 private:
  int64_t width_ = 0, height_ = 0, columns_ = 0, rows_ = 0, k_ = 0;
  bool upper_ = true;
};

template <class T>
void store_one(uint8_t* to) {
  const T one = 1;
  std::memcpy(to, &one, sizeof(T));
}
template <uint16_t kBits>
void store_bits(uint8_t* to) {
  const uint16_t bits = kBits;
  std::memcpy(to, &bits, 2);
}

using OneFn = void (*)(uint8_t*);
OneFn one_function(DType type) {
  switch (type) {
    case DType::kFloat32: return store_one<float>;
    case DType::kFloat64: return store_one<double>;
    case DType::kFloat16: return store_bits<0x3c00>;
    case DType::kBfloat16: return store_bits<0x3f80>;
    default: break;
  }
  switch (bit_width(type)) {
    case 8: return store_one<uint8_t>;
    case 16: return store_one<uint16_t>;
    case 32: return store_one<uint32_t>;
    case 64: return store_one<uint64_t>;
    default: return nullptr;
  }
}

struct EyeAttributes {
  int64_t k = 0;
  Status load(const LoadContext& c) {
    k = c.integer("k", 0);
    return Status::Ok();
  }
};

class EyeLike final : public Bound {
 public:
  Status prepare(const EyeAttributes& a, BindContext& c) {
    const Shape& out = c.out(0);
    if (out.rank != 2) return c.error(Code::kShape, "expected a matrix, got " + ops::dims_text(out));
    one_ = one_function(c.out_type(0));
    if (one_ == nullptr)
      return c.error(Code::kUnsupported, std::string("elements of type ") + dtype_name(c.out_type(0)));
    width_ = static_cast<int64_t>(byte_size(c.out_type(0)));
    rows_ = out[0];
    columns_ = out[1];
    k_ = clamp_diagonal(a.k, rows_, columns_);
    return Status::Ok();
  }
  Status run(RunContext& c) override {
    uint8_t* y = c.out<uint8_t>(0);
    if (rows_ * columns_ == 0) return Status::Ok();
    std::memset(y, 0, static_cast<size_t>(rows_ * columns_ * width_));
    for (int64_t r = std::max<int64_t>(0, -k_); r < rows_ && r + k_ < columns_; ++r)
      one_(y + (r * columns_ + r + k_) * width_);
    return Status::Ok();
  }

 private:
  OneFn one_ = nullptr;
  int64_t width_ = 0, rows_ = 0, columns_ = 0, k_ = 0;
};

}  // namespace

Status make_trilu(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<TriluAttributes, Trilu>(c, op); }
Status make_eye_like(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<EyeAttributes, EyeLike>(c, op);
}

}  // namespace octavo
