// The JavaScript object NativeToken: a flag that cancels a load or a run between steps.
#pragma once

#include <atomic>
#include <memory>

#include <napi.h>

namespace octavo::addon {

class Token : public Napi::ObjectWrap<Token> {
 public:
  static Napi::Function define(Napi::Env env);
  static Napi::Object create(Napi::Env env);
  explicit Token(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Token>(info) {}

  // The flag of a token; a new one where the value is undefined. Throws TypeError for anything else.
  static std::shared_ptr<std::atomic<bool>> flag_of(const Napi::Value& value);

 private:
  void cancel(const Napi::CallbackInfo&) { flag_->store(true); }

  std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace octavo::addon
