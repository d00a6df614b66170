#include "engine/evaluate.h"

#include <algorithm>

namespace octavo {
namespace {

// False: overflow, or division by zero.
bool apply(ExprKind kind, int64_t a, int64_t b, int64_t* result) {
  switch (kind) {
    case ExprKind::kAdd: return !__builtin_add_overflow(a, b, result);
    case ExprKind::kMul: return !__builtin_mul_overflow(a, b, result);
    case ExprKind::kMin: *result = std::min(a, b); return true;
    case ExprKind::kMax: *result = std::max(a, b); return true;
    case ExprKind::kFloorDiv:
    case ExprKind::kMod: {
      if (b == 0 || (a == INT64_MIN && b == -1)) return false;
      int64_t quotient = a / b, remainder = a % b;
      if (remainder != 0 && (remainder < 0) != (b < 0)) {
        --quotient;
        remainder += b;
      }
      *result = kind == ExprKind::kMod ? remainder : quotient;
      return true;
    }
    case ExprKind::kConstant:
    case ExprKind::kSymbol: break;
  }
  return false;
}

}  // namespace

Sizes::Sizes(const Plan& plan)
    : plan_(plan),
      symbols_(plan.symbols.size()),
      symbol_known_(plan.symbols.size()),
      values_(plan.expressions.size()),
      state_(plan.expressions.size()) {
  evaluate();
}

void Sizes::forget() {
  std::fill(symbols_.begin(), symbols_.end(), 0);
  std::fill(symbol_known_.begin(), symbol_known_.end(), 0);
}

void Sizes::set(int32_t symbol, int64_t value) {
  symbols_[static_cast<size_t>(symbol)] = value;
  symbol_known_[static_cast<size_t>(symbol)] = 1;
}

void Sizes::evaluate() {
  for (size_t i = 0; i < plan_.expressions.size(); ++i) {
    const Expr& e = plan_.expressions[i];
    if (e.kind == ExprKind::kConstant) {
      values_[i] = e.value;
      state_[i] = kKnown;
    } else if (e.kind == ExprKind::kSymbol) {
      values_[i] = symbols_[static_cast<size_t>(e.a)];
      state_[i] = symbol_known_[static_cast<size_t>(e.a)] ? kKnown : kUnknown;
    } else {
      const size_t a = static_cast<size_t>(e.a), b = static_cast<size_t>(e.b);
      if (state_[a] == kFailed || state_[b] == kFailed) state_[i] = kFailed;
      else if (state_[a] == kUnknown || state_[b] == kUnknown) state_[i] = kUnknown;
      else state_[i] = apply(e.kind, values_[a], values_[b], &values_[i]) ? kKnown : kFailed;
    }
  }
}

Status Sizes::shape_of(int32_t tensor, size_t max_bytes, Shape* shape) const {
  const PlanTensor& t = plan_.tensors[static_cast<size_t>(tensor)];
  const auto name = [&] { return "tensor " + plan_.tensor_name(tensor); };
  shape->rank = static_cast<int>(t.dims.size());
  for (int d = 0; d < shape->rank; ++d) {
    const int32_t e = t.dims[static_cast<size_t>(d)];
    if (failed(e))
      return Status::Error(Code::kShape, name() + ": size " + std::to_string(d) + " overflows or divides by zero");
    if (!known(e))
      return Status::Error(Code::kInvalidPlan,
                           name() + ": size " + std::to_string(d) + " is not known where it is needed");
    if (value(e) < 0)
      return Status::Error(Code::kShape,
                           name() + ": size " + std::to_string(d) + " would be " + std::to_string(value(e)));
    shape->dims[d] = value(e);
  }
  size_t bytes;
  if (!tensor_bytes(t.dtype, *shape, max_bytes, &bytes)) {
    return Status::Error(Code::kLimit, name() + ": " + dtype_name(t.dtype) + format_shape(*shape) +
                                           " is larger than the limit of " + std::to_string(max_bytes) + " bytes");
  }
  return Status::Ok();
}

bool tensor_bytes(DType dtype, const Shape& shape, size_t max_bytes, size_t* bytes) {
  // The product of the sizes other than 0 must fit too: operators multiply some of them.
  uint64_t bits = static_cast<uint64_t>(bit_width(dtype));
  bool empty = false;
  for (int d = 0; d < shape.rank; ++d) {
    if (shape[d] < 0) return false;
    if (shape[d] == 0) empty = true;
    else if (__builtin_mul_overflow(bits, static_cast<uint64_t>(shape[d]), &bits)) return false;
  }
  if (bits > static_cast<uint64_t>(INT64_MAX) - 7) return false;
  const uint64_t size = (bits + 7) / 8;
  if (empty) {
    *bytes = 0;
    return true;
  }
  if (size > max_bytes || size > SIZE_MAX / 2) return false;
  *bytes = static_cast<size_t>(size);
  return true;
}

std::string format_shape(const Shape& shape) {
  std::string text = "[";
  for (int d = 0; d < shape.rank; ++d) text += (d == 0 ? "" : ", ") + std::to_string(shape[d]);
  return text + "]";
}

}  // namespace octavo
