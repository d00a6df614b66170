// Values of JavaScript to those of the engine, and back.
#pragma once

#include <string>
#include <vector>

#include <napi.h>

#include "engine/execution.h"
#include "engine/memory.h"
#include "engine/status.h"

namespace octavo::addon {

// An Error with the properties nativeCode ('kShape') and step (-1: none).
Napi::Error make_error(Napi::Env env, const Status& status, int step = -1);
Napi::Error make_error(Napi::Env env, const char* code, const std::string& message);

// A tensor and the memory it is in: a copy of the caller's bytes.
struct OwnedTensor {
  TensorView view;
  Memory memory;
};

// Throws Napi::TypeError where the values are not NativeFeeds and their NativeTypes, kLimit or kOutOfMemory where it is
// too big. Blocks of `spare` that fit are taken from there: a fresh one of the size of an image costs more to page in
// than to fill.
std::vector<OwnedTensor> read_tensors(Napi::Env env, const Napi::Value& feeds, const Napi::Value& types,
                                      size_t max_bytes, std::vector<Memory>* spare);
// False unless the value is a whole number in [low, high].
bool whole(const Napi::Value& value, double low, double high, int64_t* result);
bool whole(double number, double low, double high, int64_t* result);
// Indices of the outputs asked for, below `count`; undefined: all of them.
std::vector<int> read_indices(Napi::Env env, const Napi::Value& value, int count);

// Appends a tensor to NativeOutputs and copies its bytes into a new ArrayBuffer.
void write_tensor(Napi::Env env, const TensorView& tensor, Napi::Array results, uint32_t* next);
Napi::ArrayBuffer write_bytes(Napi::Env env, const void* data, size_t bytes);

}  // namespace octavo::addon
