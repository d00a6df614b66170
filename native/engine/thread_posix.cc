#include "engine/thread.h"

namespace octavo {
namespace {

struct Start {
  void (*body)(void*);
  void* argument;
};

void* begin(void* argument) {
  const Start start = *static_cast<Start*>(argument);
  delete static_cast<Start*>(argument);
  start.body(start.argument);
  return nullptr;
}

}  // namespace

bool start_thread(void (*body)(void*), void* argument) {
  Start* const start = new Start{body, argument};
  pthread_t thread;
  if (pthread_create(&thread, nullptr, begin, start) != 0) {
    delete start;
    return false;
  }
  pthread_detach(thread);
  return true;
}

}  // namespace octavo
