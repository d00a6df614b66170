// The one way a native function reports failure. No exceptions cross these layers.
#pragma once

#include <string>
#include <utility>

namespace octavo {

enum class Code {
  kOk,
  kInvalidPlan,  // the plan contradicts itself: a bug of the compiler, or a malformed plan
  kUnsupported,  // a dtype, rank or attribute this build has no kernel for
  kShape,        // shapes that do not fit each other once symbols have values
  kData,         // a value read at run time is out of its range (an index, a scale)
  kLimit,        // a size above the limits of the session
  kCancelled,    // the caller asked to stop
  kOutOfMemory,
  kIo,  // a file of constants cannot be read
};

struct [[nodiscard]] Status {
  Code code = Code::kOk;
  std::string message;

  bool ok() const { return code == Code::kOk; }
  static Status Ok() { return {}; }
  static Status Error(Code code, std::string message) { return {code, std::move(message)}; }
};

#define OCTAVO_RETURN_IF_ERROR(expression)           \
  do {                                               \
    ::octavo::Status octavo_status_ = (expression);  \
    if (!octavo_status_.ok()) return octavo_status_; \
  } while (0)

}  // namespace octavo
