#include "addon/marshal.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "engine/evaluate.h"

namespace octavo::addon {
namespace {

// V8 ends the process when it cannot make an ArrayBuffer: this refuses sizes that V8 surely refuses.
constexpr size_t kMaxArrayBuffer = sizeof(size_t) == 8 ? size_t{1} << 32 : size_t{1} << 30;
constexpr size_t kProbe = size_t{16} << 20;

const char* code_name(Code code) {
  switch (code) {
    case Code::kOk: return "kOk";
    case Code::kInvalidPlan: return "kInvalidPlan";
    case Code::kUnsupported: return "kUnsupported";
    case Code::kShape: return "kShape";
    case Code::kData: return "kData";
    case Code::kLimit: return "kLimit";
    case Code::kCancelled: return "kCancelled";
    case Code::kOutOfMemory: return "kOutOfMemory";
    case Code::kIo: return "kIo";
  }
  return "kInvalidPlan";
}

Napi::Error error_with(Napi::Env env, const char* code, const std::string& message, int step) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("nativeCode", Napi::String::New(env, code));
  error.Set("step", Napi::Number::New(env, step));
  return error;
}

}  // namespace

bool whole(const Napi::Value& value, double low, double high, int64_t* result) {
  return value.IsNumber() && whole(value.As<Napi::Number>().DoubleValue(), low, high, result);
}

bool whole(double number, double low, double high, int64_t* result) {
  if (!(number >= low && number <= high) || number != std::trunc(number)) return false;
  *result = static_cast<int64_t>(number);
  return true;
}

namespace {

// A block of `spare` that is large enough, and at most twice as large; else a new one. False: out of memory.
bool take(std::vector<Memory>* spare, size_t bytes, Memory* result) {
  for (Memory& memory : *spare) {
    if (memory.size() < bytes || memory.size() / 2 > bytes) continue;
    *result = std::move(memory);
    spare->erase(spare->begin() + (&memory - spare->data()));
    return true;
  }
  return result->allocate(bytes);
}

// The numbers of NativeTypes, read from the left.
class Numbers {
 public:
  Numbers(const double* begin, size_t count) : next_(begin), end_(begin + count) {}
  // False unless there is one more, a whole number in [low, high].
  bool take(double low, double high, int64_t* result) {
    if (next_ == end_ || !whole(*next_, low, high, result)) return false;
    ++next_;
    return true;
  }
  bool done() const { return next_ == end_; }

 private:
  const double *next_, *end_;
};

TensorView read_type(Napi::Env env, Numbers& numbers, const std::string& where) {
  const auto wrong = [&](const char* expected) { return Napi::TypeError::New(env, where + ": expected " + expected); };
  TensorView view;
  int64_t dtype = 0, rank = 0;
  if (!numbers.take(1, 255, &dtype) || bit_width(static_cast<DType>(dtype)) < 8)
    throw wrong("the number of an element type");
  view.dtype = static_cast<DType>(dtype);
  if (!numbers.take(0, 1 << 20, &rank)) throw wrong("a rank");
  if (rank > kMaxRank)
    throw make_error(env, Status::Error(Code::kUnsupported, where + ": at most " + std::to_string(kMaxRank) +
                                                                " axes are supported, got " + std::to_string(rank)));
  view.shape.rank = static_cast<int>(rank);
  for (int64_t d = 0; d < rank; ++d)
    if (!numbers.take(0, 9007199254740991.0, &view.shape.dims[d])) throw wrong("dims to be non-negative integers");
  return view;
}

OwnedTensor read_tensor(Napi::Env env, Numbers& numbers, napi_value data, size_t max_bytes, size_t index,
                        std::vector<Memory>* spare) {
  const std::string where = "input " + std::to_string(index);
  OwnedTensor tensor;
  tensor.view = read_type(env, numbers, where);
  const Shape& shape = tensor.view.shape;
  napi_typedarray_type type;
  size_t length = 0, expected = 0;
  void* bytes = nullptr;
  if (napi_get_typedarray_info(env, data, &type, &length, &bytes, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array)
    throw Napi::TypeError::New(env, where + ": expected a Uint8Array");
  if (!tensor_bytes(tensor.view.dtype, shape, max_bytes, &expected))
    throw make_error(env,
                     Status::Error(Code::kLimit, where + ": " + format_shape(shape) + " is larger than the limit of " +
                                                     std::to_string(max_bytes) + " bytes"));
  if (length != expected)
    throw make_error(env, Status::Error(Code::kShape, where + ": " + dtype_name(tensor.view.dtype) +
                                                          format_shape(shape) + " takes " + std::to_string(expected) +
                                                          " bytes, got " + std::to_string(length)));
  if (!take(spare, expected, &tensor.memory))
    throw make_error(
        env, Status::Error(Code::kOutOfMemory, where + ": no memory for " + std::to_string(expected) + " bytes"));
  if (expected != 0) std::memcpy(tensor.memory.data(), bytes, expected);
  tensor.view.data = tensor.memory.data();
  return tensor;
}

}  // namespace

Napi::Error make_error(Napi::Env env, const Status& status, int step) {
  return error_with(env, code_name(status.code), status.message, step);
}
Napi::Error make_error(Napi::Env env, const char* code, const std::string& message) {
  return error_with(env, code, message, -1);
}

std::vector<OwnedTensor> read_tensors(Napi::Env env, const Napi::Value& feeds, const Napi::Value& types,
                                      size_t max_bytes, std::vector<Memory>* spare) {
  if (!feeds.IsArray()) throw Napi::TypeError::New(env, "feeds: expected an array");
  napi_typedarray_type type;
  size_t count = 0;
  void* numbers = nullptr;
  if (napi_get_typedarray_info(env, types, &type, &count, &numbers, nullptr, nullptr) != napi_ok ||
      type != napi_float64_array)
    throw Napi::TypeError::New(env, "types: expected a Float64Array");
  const Napi::Array array = feeds.As<Napi::Array>();
  Numbers left(static_cast<const double*>(numbers), count);
  const uint32_t length = array.Length();
  std::vector<OwnedTensor> tensors;
  for (uint32_t i = 0; i < length; ++i) {
    Napi::HandleScope scope(env);
    tensors.push_back(read_tensor(env, left, array.Get(i), max_bytes, i, spare));
  }
  if (!left.done())
    throw Napi::TypeError::New(env, "types: expected those of " + std::to_string(length) + " tensors, got more");
  return tensors;
}

std::vector<int> read_indices(Napi::Env env, const Napi::Value& value, int count) {
  std::vector<int> indices;
  if (value.IsUndefined()) {
    for (int i = 0; i < count; ++i) indices.push_back(i);
    return indices;
  }
  if (!value.IsArray()) throw Napi::TypeError::New(env, "outputs: expected an array of indices");
  const Napi::Array array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    int64_t index = 0;
    if (!whole(array.Get(i), 0, count - 1, &index))
      throw Napi::RangeError::New(env, "outputs: expected indices below " + std::to_string(count));
    indices.push_back(static_cast<int>(index));
  }
  return indices;
}

Napi::ArrayBuffer write_bytes(Napi::Env env, const void* data, size_t bytes) {
  bool fits = bytes <= kMaxArrayBuffer;
  if (fits && bytes >= kProbe) {
    void* const probe = std::malloc(bytes);
    fits = probe != nullptr;
    std::free(probe);
  }
  if (!fits)
    throw make_error(
        env, Status::Error(Code::kLimit, std::to_string(bytes) + " bytes are more than an ArrayBuffer can have here"));
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes);
  if (bytes != 0) std::memcpy(buffer.Data(), data, bytes);
  return buffer;
}

void write_tensor(Napi::Env env, const TensorView& tensor, Napi::Array results, uint32_t* next) {
  size_t bytes = 0;
  if (!tensor_bytes(tensor.dtype, tensor.shape, SIZE_MAX / 2, &bytes))
    throw make_error(env, Status::Error(Code::kLimit, "an output above the address space"));
  const auto number = [&](int64_t value) {
    results.Set((*next)++, Napi::Number::New(env, static_cast<double>(value)));
  };
  results.Set((*next)++, write_bytes(env, tensor.data, bytes));
  number(static_cast<int>(tensor.dtype));
  number(tensor.shape.rank);
  for (int d = 0; d < tensor.shape.rank; ++d) number(tensor.shape[d]);
}

}  // namespace octavo::addon
