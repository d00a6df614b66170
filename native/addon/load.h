// binding.load: a plan becomes a model, off the JavaScript thread.
#pragma once

#include <napi.h>

namespace octavo::addon {

// load(words: Int32Array, buffers: Uint8Array[], options: {threads, maxTensorBytes, maxLoopIterations}, token?)
Napi::Value load(const Napi::CallbackInfo& info);

}  // namespace octavo::addon
