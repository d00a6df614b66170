// The addon's exports: the Binding of lib/native/binding.ts.
#include <napi.h>

#include "addon/environment.h"
#include "addon/load.h"
#include "addon/marshal.h"
#include "addon/model.h"
#include "addon/states.h"
#include "addon/token.h"
#include "cpu/cores.h"
#include "cpu/isa.h"

namespace octavo::addon {
namespace {

#if defined(__clang__)
constexpr char kCompiler[] = "clang " __clang_version__;
#else
constexpr char kCompiler[] = "gcc " __VERSION__;
#endif

Napi::Array isas(Napi::Env env) {
  Napi::Array list = Napi::Array::New(env, static_cast<size_t>(isa_count()));
  for (int i = 0; i < isa_count(); ++i) {
    const IsaInfo& isa = isa_info(i);
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", isa.name);
    entry.Set("compiled", isa.compiled);
    entry.Set("supported", isa_supported(isa.name));
    entry.Set("reason", isa_reason(isa.name));
    list.Set(static_cast<uint32_t>(i), entry);
  }
  return list;
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  if (!isa_problem().empty()) throw make_error(env, Status::Error(Code::kUnsupported, isa_problem()));
  Environment::create(env);
  const std::shared_ptr<Environment> environment = Environment::of(env);
  environment->model_class = Napi::Persistent(Model::define(env));
  environment->token_class = Napi::Persistent(Token::define(env));
  environment->states_class = Napi::Persistent(States::define(env));
  exports.Set("version", OCTAVO_VERSION);
  exports.Set("isas", isas(env));
  exports.Set("isa", isa_chosen().name);
  exports.Set("activations", isa_chosen().activations);
  exports.Set("cores", Napi::Number::New(env, usable_cores()));
  exports.Set("compiler", kCompiler);
  exports.Set("token", Napi::Function::New(
                           env, [](const Napi::CallbackInfo& info) -> Napi::Value { return Token::create(info.Env()); },
                           "token"));
  exports.Set(
      "states",
      Napi::Function::New(
          env, [](const Napi::CallbackInfo& info) -> Napi::Value { return States::create(info.Env(), nullptr); },
          "states"));
  exports.Set("load", Napi::Function::New(env, load, "load"));
  return exports;
}

}  // namespace
}  // namespace octavo::addon

static Napi::Object octavo_initialize(Napi::Env env, Napi::Object exports) {
  return octavo::addon::initialize(env, exports);
}
NODE_API_MODULE(octavo, octavo_initialize)
