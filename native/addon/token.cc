#include "addon/token.h"

#include "addon/environment.h"

namespace octavo::addon {

Napi::Function Token::define(Napi::Env env) {
  return DefineClass(env, "NativeToken", {InstanceMethod<&Token::cancel>("cancel")});
}

Napi::Object Token::create(Napi::Env env) { return Environment::of(env)->token_class.New({}); }

std::shared_ptr<std::atomic<bool>> Token::flag_of(const Napi::Value& value) {
  if (value.IsEmpty() || value.IsUndefined() || value.IsNull()) return std::make_shared<std::atomic<bool>>(false);
  const Napi::Env env = value.Env();
  if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(Environment::of(env)->token_class.Value()))
    throw Napi::TypeError::New(env, "expected a token");
  return Unwrap(value.As<Napi::Object>())->flag_;
}

}  // namespace octavo::addon
