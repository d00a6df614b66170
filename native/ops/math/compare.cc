// Compare: two tensors of one type to truth values, with numpy broadcasting.
#include "ops/support/binary_rows.h"
#include "ops/support/typed.h"

namespace octavo {
namespace {

#define OCTAVO_COMPARE(name, operation)  \
  struct name {                          \
    template <class T>                   \
    uint8_t operator()(T a, T b) const { \
      return a operation b;              \
    }                                    \
  };
OCTAVO_COMPARE(Equal, ==)
OCTAVO_COMPARE(Less, <)
OCTAVO_COMPARE(LessEqual, <=)
OCTAVO_COMPARE(Greater, >)
OCTAVO_COMPARE(GreaterEqual, >=)
#undef OCTAVO_COMPARE

template <class T>
ops::BinaryRow row_of(int fn) {
  constexpr ops::BinaryRow kRows[] = {ops::binary_row<T, uint8_t, Equal>, ops::binary_row<T, uint8_t, Less>,
                                      ops::binary_row<T, uint8_t, LessEqual>, ops::binary_row<T, uint8_t, Greater>,
                                      ops::binary_row<T, uint8_t, GreaterEqual>};
  return kRows[fn];
}

struct Attributes {
  ops::BinaryRow row = nullptr;

  Status load(const LoadContext& c) {
    const std::string name = c.text("fn", "");
    const char* const names[] = {"equal", "less", "less_equal", "greater", "greater_equal"};
    int found = -1;
    for (int i = 0; i < 5; ++i)
      if (name == names[i]) found = i;
    if (found < 0) return c.error(Code::kUnsupported, "no function \"" + name + "\"");
    const DType type = c.input(0)->dtype;
    // Truth values are bytes.
    if (type == DType::kBool) row = row_of<uint8_t>(found);
    else ops::with_type(ops::NumberTypes(), type, [&](auto zero) { row = row_of<decltype(zero)>(found); });
    return row ? Status::Ok() : c.error(Code::kUnsupported, "\"" + name + "\" of " + dtype_name(type));
  }
};

class Compare final : public Bound {
 public:
  Status prepare(const Attributes& a, BindContext& c) {
    row_ = a.row;
    size_ = static_cast<int64_t>(byte_size(c.in_type(0)));
    const int inputs[] = {0, 1};
    return broadcast_.plan(c, inputs);
  }
  Status run(RunContext& c) override {
    ops::binary_rows(c.pool(), broadcast_, row_, c.in<uint8_t>(0), c.in<uint8_t>(1), c.out<uint8_t>(0), size_, 1);
    return Status::Ok();
  }

 private:
  ops::BinaryRow row_ = nullptr;
  int64_t size_ = 0;
  ops::Broadcast<2> broadcast_;
};

}  // namespace

Status make_compare(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Compare>(c, op); }

}  // namespace octavo
