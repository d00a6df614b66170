#include "engine/thread.h"

// uv.h is not among the headers of node-api-headers. On Unix uv_thread_t is pthread_t (libuv, include/uv/unix.h),
// and Node exports the function on every platform.
extern "C" int uv_thread_create(pthread_t* thread, void (*entry)(void* argument), void* argument);

namespace octavo {

bool start_thread(void (*body)(void*), void* argument) {
  pthread_t thread;
  return uv_thread_create(&thread, body, argument) == 0;
}

}  // namespace octavo
