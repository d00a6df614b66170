// Element types, shapes and views. Values of DType are those of ONNX TensorProto.DataType.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octavo {

enum class DType : uint8_t {
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint32 = 12,
  kUint64 = 13,
  kBfloat16 = 16,
  kUint4 = 21,  // sub-byte types exist in a plan only as constants, packed as ONNX packs them
  kInt4 = 22,
  kUint2 = 25,
  kInt2 = 26,
  kUint1 = 127,  // of plans only: no ONNX file has it
};

// Bits per element; 0 for a number that is not a DType.
constexpr int bit_width(DType t) {
  switch (t) {
    case DType::kUint1: return 1;
    case DType::kUint2:
    case DType::kInt2: return 2;
    case DType::kUint4:
    case DType::kInt4: return 4;
    case DType::kUint8:
    case DType::kInt8:
    case DType::kBool: return 8;
    case DType::kUint16:
    case DType::kInt16:
    case DType::kFloat16:
    case DType::kBfloat16: return 16;
    case DType::kFloat32:
    case DType::kInt32:
    case DType::kUint32: return 32;
    case DType::kInt64:
    case DType::kUint64:
    case DType::kFloat64: return 64;
  }
  return 0;
}

// Bytes per element of a type of at least 8 bits.
constexpr size_t byte_size(DType t) { return static_cast<size_t>(bit_width(t)) / 8; }

constexpr bool is_quantized_activation(DType t) { return t == DType::kUint8 || t == DType::kInt8; }

const char* dtype_name(DType t);  // "float32", as in the JavaScript API

constexpr int kMaxRank = 8;

// Every buffer of the engine may be read (never written) this many bytes past its end.
constexpr size_t kReadSlack = 64;

struct Shape {
  int rank = 0;
  int64_t dims[kMaxRank] = {};

  int64_t operator[](int i) const { return dims[i]; }
  // Product of the dimensions. bind has checked that it, times the element size, fits the limits.
  int64_t elements() const {
    int64_t n = 1;
    for (int i = 0; i < rank; ++i) n *= dims[i];
    return n;
  }
  bool operator==(const Shape& o) const {
    if (rank != o.rank) return false;
    for (int i = 0; i < rank; ++i)
      if (dims[i] != o.dims[i]) return false;
    return true;
  }
};

}  // namespace octavo
