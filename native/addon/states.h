// The JavaScript object NativeStates: a store of states that models are loaded over.
#pragma once

#include <memory>

#include <napi.h>

#include "engine/state_store.h"

namespace octavo::addon {

class States : public Napi::ObjectWrap<States> {
 public:
  static Napi::Function define(Napi::Env env);
  // A view of a store; nullptr: of a new one.
  static Napi::Object create(Napi::Env env, std::shared_ptr<StateStore> store);
  // The store of a value of the options; nullptr where it is undefined. Throws TypeError for anything else.
  static std::shared_ptr<StateStore> store_of(const Napi::Value& value);

  explicit States(const Napi::CallbackInfo& info);

 private:
  Napi::Value names(const Napi::CallbackInfo& info);
  Napi::Value bytes(const Napi::CallbackInfo& info);
  Napi::Value copy(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  void write(const Napi::CallbackInfo& info);

  std::shared_ptr<StateStore> store_;
};

// The bytes of one state, once no run writes it. Throws RangeError where there is none of that name.
Napi::ArrayBuffer read_state(Napi::Env env, StateStore& store, const std::string& name);

}  // namespace octavo::addon
