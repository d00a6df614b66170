// DequantizeLinear: (x - zp) * scale.
#include "kernels/q8/q8.h"
#include "ops/support/chunks.h"
#include "ops/quantize/linear_granularity.h"
#include "ops/quantize/quantization.h"

namespace octavo {
namespace {

struct Attributes {
  int64_t axis = 1, block_size = 0;

  Status load(const LoadContext& c) {
    axis = c.integer("axis", 1);
    block_size = c.integer("block_size", 0);
    return Status::Ok();
  }
};

// Levels of less than a byte.
struct Packed {
  Format format;
  int32_t operator()(const void* data, int64_t i) const { return level_at(data, static_cast<size_t>(i), format); }
};

template <class T>
struct Plain {
  int32_t operator()(const void* data, int64_t i) const { return static_cast<int32_t>(static_cast<const T*>(data)[i]); }
};

// f(reader of integers of that type)
template <class F>
void with_reader(DType type, F f) {
  switch (type) {
    case DType::kUint8: return f(Plain<uint8_t>());
    case DType::kInt8: return f(Plain<int8_t>());
    case DType::kUint16: return f(Plain<uint16_t>());
    case DType::kInt16: return f(Plain<int16_t>());
    case DType::kInt32: return f(Plain<int32_t>());
    default: return f(Packed{format_of(type)});
  }
}

class DequantizeLinear final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    type_ = c.in_type(0);
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", c.in(0), c.out(0)));
    return at_.plan(c, a.axis, a.block_size);
  }

  Status run(RunContext& c) override {
    const bool rows = at_.scales_inner == 0 && is_quantized_activation(type_);
    if (at_.scales_inner == 0 && at_.rows() == 1 && type_ == DType::kInt16) whole_halves<int16_t>(c);
    else if (at_.scales_inner == 0 && at_.rows() == 1 && type_ == DType::kUint16) whole_halves<uint16_t>(c);
    else if (rows && at_.rows() == 1) whole(c);
    else if (rows && at_.inner >= 16) by_rows(c);
    else one_by_one(c);
    return Status::Ok();
  }

 private:
  int32_t zero_point(const RunContext& c, int64_t i) const {
    const uint8_t* zp = c.in<uint8_t>(2);
    return zp == nullptr ? 0 : ops::q8_value(zp[i * at_.zero_stride], type_ == DType::kInt8);
  }
  void whole(RunContext& c) {
    const uint8_t* x = c.in<uint8_t>(0);
    float* y = c.out<float>(0);
    const float scale = *c.in<float>(1);
    const int32_t zp = zero_point(c, 0);
    ops::for_chunks(c.pool(), at_.inner, [&](int64_t begin, int64_t end) {
      q8_kernels().dequantize(x + begin, type_ == DType::kInt8, y + begin, end - begin, scale, zp);
    });
  }
  template <class T>
  void whole_halves(RunContext& c) {
    const T* x = c.in<T>(0);
    float* y = c.out<float>(0);
    const float scale = *c.in<float>(1);
    const int32_t zp = c.in<T>(2) == nullptr ? 0 : *c.in<T>(2);
    ops::for_chunks(c.pool(), at_.inner, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = static_cast<float>(x[i] - zp) * scale;
    });
  }
  void by_rows(RunContext& c) {
    const uint8_t* x = c.in<uint8_t>(0);
    float* y = c.out<float>(0);
    ops::for_rows(c.pool(), at_.rows(), at_.inner, [&](int64_t row) {
      const int64_t s = at_.scale_at(row), at = row * at_.inner;
      q8_kernels().dequantize(x + at, type_ == DType::kInt8, y + at, at_.inner, c.in<float>(1)[s], zero_point(c, s));
    });
  }
  void one_by_one(RunContext& c) {
    const void* x = c.input(0);
    const void* zp = c.input(2);
    const float* scale = c.in<float>(1);
    float* y = c.out<float>(0);
    with_reader(type_, [&](auto read) {
      ops::for_rows(c.pool(), at_.rows(), at_.inner, [&](int64_t row) {
        int64_t s = at_.scale_at(row);
        for (int64_t i = 0, at = row * at_.inner; i < at_.inner; ++i, ++at, s += at_.scales_inner) {
          const int64_t distance =
              static_cast<int64_t>(read(x, at)) - (zp == nullptr ? 0 : read(zp, s * at_.zero_stride));
          y[at] = static_cast<float>(distance) * scale[s];
        }
      });
    });
  }

  DType type_ = DType::kUint8;
  ops::Granularity at_;
};

}  // namespace

Status make_dequantize_linear(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<Attributes, DequantizeLinear>(c, op);
}

}  // namespace octavo
