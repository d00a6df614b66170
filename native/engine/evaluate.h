// Values of a plan's symbols and of the expressions over them.
#pragma once

#include <vector>

#include "engine/plan.h"

namespace octavo {

class Sizes {
 public:
  explicit Sizes(const Plan& plan);

  void forget();  // every symbol is unknown again
  void set(int32_t symbol, int64_t value);
  bool known_symbol(int32_t symbol) const { return symbol_known_[static_cast<size_t>(symbol)] != 0; }
  int64_t symbol(int32_t symbol) const { return symbols_[static_cast<size_t>(symbol)]; }
  const std::vector<int64_t>& symbols() const { return symbols_; }

  // Values of all expressions whose symbols are known. After set, before known or value.
  void evaluate();
  bool known(int32_t expression) const { return state_[static_cast<size_t>(expression)] == kKnown; }
  // True where arithmetic overflowed or divided by zero.
  bool failed(int32_t expression) const { return state_[static_cast<size_t>(expression)] == kFailed; }
  int64_t value(int32_t expression) const { return values_[static_cast<size_t>(expression)]; }

  // Sizes of a tensor: known, not negative, and the bytes below the limit. `what` names it.
  Status shape_of(int32_t tensor, size_t max_bytes, Shape* shape) const;

 private:
  enum State : char { kUnknown, kKnown, kFailed };
  const Plan& plan_;
  std::vector<int64_t> symbols_;
  std::vector<char> symbol_known_;
  std::vector<int64_t> values_;
  std::vector<char> state_;
};

// Bytes of a dense tensor. False: negative size, or more than max_bytes.
bool tensor_bytes(DType dtype, const Shape& shape, size_t max_bytes, size_t* bytes);

// "[1, 3, 224, 224]"
std::string format_shape(const Shape& shape);

}  // namespace octavo
