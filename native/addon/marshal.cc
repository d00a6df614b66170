#include "addon/marshal.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "engine/evaluate.h"

namespace octavo::addon {
namespace {

// V8 ends the process when it cannot make an ArrayBuffer; what it surely refuses is refused here.
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
  if (!value.IsNumber()) return false;
  const double number = value.As<Napi::Number>().DoubleValue();
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

OwnedTensor read_tensor(Napi::Env env, const Napi::Value& value, size_t max_bytes, const std::string& where,
                        std::vector<Memory>* spare) {
  const auto wrong = [&](const std::string& expected) {
    return Napi::TypeError::New(env, where + ": expected " + expected);
  };
  if (!value.IsObject()) throw wrong("{dtype, dims, data}");
  const Napi::Object object = value.As<Napi::Object>();
  const Napi::Value dtype = object.Get("dtype"), dims = object.Get("dims"), data = object.Get("data");
  OwnedTensor tensor;
  int64_t number = 0;
  if (!whole(dtype, 1, 255, &number) || bit_width(static_cast<DType>(number)) < 8)
    throw wrong("dtype to be the number of an element type");
  tensor.view.dtype = static_cast<DType>(number);
  if (!dims.IsArray()) throw wrong("dims to be an array");
  const Napi::Array sizes = dims.As<Napi::Array>();
  if (sizes.Length() > static_cast<uint32_t>(kMaxRank))
    throw make_error(
        env, Status::Error(Code::kUnsupported, where + ": at most " + std::to_string(kMaxRank) +
                                                   " axes are supported, got " + std::to_string(sizes.Length())));
  tensor.view.shape.rank = static_cast<int>(sizes.Length());
  for (uint32_t d = 0; d < sizes.Length(); ++d)
    if (!whole(sizes.Get(d), 0, 9007199254740991.0, &tensor.view.shape.dims[d]))
      throw wrong("dims to be non-negative integers");
  if (!data.IsTypedArray() || data.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw wrong("data to be a Uint8Array");
  const Napi::Uint8Array bytes = data.As<Napi::Uint8Array>();
  size_t expected = 0;
  if (!tensor_bytes(tensor.view.dtype, tensor.view.shape, max_bytes, &expected))
    throw make_error(
        env, Status::Error(Code::kLimit, where + ": " + format_shape(tensor.view.shape) +
                                             " is larger than the limit of " + std::to_string(max_bytes) + " bytes"));
  if (bytes.ByteLength() != expected)
    throw make_error(
        env, Status::Error(Code::kShape, where + ": " + dtype_name(tensor.view.dtype) +
                                             format_shape(tensor.view.shape) + " takes " + std::to_string(expected) +
                                             " bytes, got " + std::to_string(bytes.ByteLength())));
  if (!take(spare, expected, &tensor.memory))
    throw make_error(
        env, Status::Error(Code::kOutOfMemory, where + ": no memory for " + std::to_string(expected) + " bytes"));
  if (expected != 0) std::memcpy(tensor.memory.data(), bytes.Data(), expected);
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

std::vector<OwnedTensor> read_tensors(Napi::Env env, const Napi::Value& value, size_t max_bytes, std::vector<Memory>* spare) {
  if (!value.IsArray()) throw Napi::TypeError::New(env, "inputs: expected an array");
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<OwnedTensor> tensors;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    Napi::HandleScope scope(env);
    tensors.push_back(read_tensor(env, array.Get(i), max_bytes, "input " + std::to_string(i), spare));
  }
  return tensors;
}

std::vector<int> read_indices(Napi::Env env, const Napi::Value& value, int count) {
  if (!value.IsArray()) throw Napi::TypeError::New(env, "outputs: expected an array of indices");
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<int> indices;
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

Napi::Object write_tensor(Napi::Env env, const TensorView& tensor) {
  size_t bytes = 0;
  if (!tensor_bytes(tensor.dtype, tensor.shape, SIZE_MAX / 2, &bytes))
    throw make_error(env, Status::Error(Code::kLimit, "an output above the address space"));
  Napi::Object object = Napi::Object::New(env);
  Napi::Array dims = Napi::Array::New(env, static_cast<size_t>(tensor.shape.rank));
  for (int d = 0; d < tensor.shape.rank; ++d)
    dims.Set(static_cast<uint32_t>(d), Napi::Number::New(env, static_cast<double>(tensor.shape[d])));
  object.Set("dtype", Napi::Number::New(env, static_cast<int>(tensor.dtype)));
  object.Set("dims", dims);
  object.Set("data", write_bytes(env, tensor.data, bytes));
  return object;
}

}  // namespace octavo::addon
