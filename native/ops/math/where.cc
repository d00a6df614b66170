// Where: one of two tensors of any type, by a condition; all three broadcast.
#include "ops/support/broadcast.h"

namespace octavo {
namespace {

struct Attributes {
  Status load(const LoadContext&) { return Status::Ok(); }
};

class Where final : public Bound {
 public:
  Status prepare(const Attributes&, BindContext& c) {
    width_ = byte_size(c.out_type(0));
    const int inputs[] = {0, 1, 2};
    return broadcast_.plan(c, inputs);
  }
  Status run(RunContext& c) override {
    switch (width_) {
      case 1: choose<uint8_t>(c); break;
      case 2: choose<uint16_t>(c); break;
      case 4: choose<uint32_t>(c); break;
      default: choose<uint64_t>(c);
    }
    return Status::Ok();
  }

 private:
  template <class T>
  void choose(RunContext& c) const {
    const uint8_t* condition = c.in<uint8_t>(0);
    const T *a = c.in<T>(1), *b = c.in<T>(2);
    T* y = c.out<T>(0);
    const int64_t sc = broadcast_.step(0), sa = broadcast_.step(1), sb = broadcast_.step(2);
    broadcast_.for_each_row(c.pool(), [&](const int64_t* offsets, int64_t at, int64_t n) {
      const uint8_t* test = condition + offsets[0];
      const T *left = a + offsets[1], *right = b + offsets[2];
      for (int64_t i = 0; i < n; ++i) {
        const T l = left[i * sa], r = right[i * sb];
        y[at + i] = test[i * sc] != 0 ? l : r;
      }
    });
  }

  size_t width_ = 4;
  ops::Broadcast<3> broadcast_;
};

}  // namespace

Status make_where(const LoadContext& c, std::unique_ptr<Op>* op) { return ops::make_op<Attributes, Where>(c, op); }

}  // namespace octavo
