#include "addon/states.h"

#include <string>
#include <vector>

#include "addon/environment.h"
#include "addon/marshal.h"

namespace octavo::addon {
namespace {

constexpr size_t kMostBytes = SIZE_MAX / 8;

// The states of these names, in their order.
std::vector<State*> find_all(Napi::Env env, const StateStore& store, const Napi::Value& value) {
  if (!value.IsArray()) throw Napi::TypeError::New(env, "states: expected an array of names");
  const Napi::Array names = value.As<Napi::Array>();
  std::vector<State*> found;
  for (uint32_t i = 0; i < names.Length(); ++i) {
    Napi::HandleScope scope(env);
    const Napi::Value name = names.Get(i);
    if (!name.IsString()) throw Napi::TypeError::New(env, "states: expected an array of names");
    const std::string text = name.As<Napi::String>();
    found.push_back(store.find(text));
    if (found.back() == nullptr) throw Napi::RangeError::New(env, "there is no state '" + text + "'");
  }
  return found;
}

}  // namespace

Napi::Function States::define(Napi::Env env) {
  return DefineClass(env, "NativeStates",
                     {InstanceMethod<&States::names>("names"), InstanceMethod<&States::bytes>("bytes"),
                      InstanceMethod<&States::copy>("copy"), InstanceMethod<&States::read>("read"),
                      InstanceMethod<&States::write>("write")});
}

Napi::Object States::create(Napi::Env env, std::shared_ptr<StateStore> store) {
  const Napi::Object object = Environment::of(env)->states_class.New({});
  Unwrap(object)->store_ = store == nullptr ? std::make_shared<StateStore>() : std::move(store);
  return object;
}

std::shared_ptr<StateStore> States::store_of(const Napi::Value& value) {
  if (value.IsUndefined() || value.IsNull()) return nullptr;
  const Napi::Env env = value.Env();
  if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(Environment::of(env)->states_class.Value()))
    throw Napi::TypeError::New(env, "states: expected what states() gives");
  return Unwrap(value.As<Napi::Object>())->store_;
}

States::States(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<States>(info), store_(std::make_shared<StateStore>()) {}

Napi::Value States::names(const Napi::CallbackInfo& info) {
  const std::vector<std::string> names = store_->names();
  Napi::Array result = Napi::Array::New(info.Env(), names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    Napi::HandleScope scope(info.Env());
    result.Set(static_cast<uint32_t>(i), Napi::String::New(info.Env(), names[i]));
  }
  return result;
}

Napi::Value States::bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(store_->bytes()));
}

Napi::Value States::copy(const Napi::CallbackInfo& info) {
  std::shared_ptr<StateStore> copied = store_->copy();
  if (copied == nullptr) throw make_error(info.Env(), "kOutOfMemory", "no memory for a copy of the states");
  return create(info.Env(), std::move(copied));
}

Napi::Value States::read(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::vector<State*> found = find_all(env, *store_, info[0]);
  Napi::Array results = Napi::Array::New(env);
  uint32_t next = 0;
  const StateStore::Turn turn(store_.get(), StateStore::Access::kRead);
  for (const State* state : found) {
    Napi::HandleScope scope(env);
    write_tensor(env, {state->dtype, state->shape, state->memory.data()}, results, &next);
  }
  return results;
}

void States::write(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::vector<State*> found = find_all(env, *store_, info[0]);
  std::vector<Memory> spare;
  const std::vector<OwnedTensor> tensors = read_tensors(env, info[1], info[2], kMostBytes, &spare);
  if (tensors.size() != found.size())
    throw Napi::TypeError::New(
        env, "states: expected " + std::to_string(found.size()) + " tensors, got " + std::to_string(tensors.size()));
  // All are right before the first is written.
  for (size_t i = 0; i < found.size(); ++i) {
    const TensorView& view = tensors[i].view;
    if (view.dtype == found[i]->dtype && view.shape == found[i]->shape) continue;
    const std::string name = info[0].As<Napi::Array>().Get(static_cast<uint32_t>(i)).ToString();
    throw make_error(env, Status::Error(Code::kShape, "state '" + name + "' is " + dtype_name(found[i]->dtype) +
                                                          format_shape(found[i]->shape) + ", got " +
                                                          dtype_name(view.dtype) + format_shape(view.shape)));
  }
  const StateStore::Turn turn(store_.get(), StateStore::Access::kWrite);
  for (size_t i = 0; i < found.size(); ++i)
    if (found[i]->memory.size() != 0)
      std::memcpy(found[i]->memory.data(), tensors[i].view.data, found[i]->memory.size());
}

Napi::ArrayBuffer read_state(Napi::Env env, StateStore& store, const std::string& name) {
  const State* const state = store.find(name);
  if (state == nullptr) throw Napi::RangeError::New(env, "readState: there is no state tensor " + name);
  const StateStore::Turn turn(&store, StateStore::Access::kRead);
  return write_bytes(env, state->memory.data(), state->memory.size());
}

}  // namespace octavo::addon
