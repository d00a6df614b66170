// QUnary: a function of quantized activations is a table of 256 bytes. QTable makes such a table for another step.
#include "kernels/q8/q8.h"
#include "ops/support/chunks.h"
#include "ops/math/function_chain.h"
#include "ops/steps.h"

namespace octavo {
namespace {

struct Table {
  ops::FunctionChain chain;
  ops::Quantization x, y;
  ops::Clamp clamp;
  bool constant = false;
  uint8_t bytes[256];  // where constant

  Status load(const LoadContext& c, int first, DType x_type) {
    const DType y_type = c.output(0).dtype;
    OCTAVO_RETURN_IF_ERROR(chain.load(c));
    OCTAVO_RETURN_IF_ERROR(x.load(c, first, first + 1, x_type));
    OCTAVO_RETURN_IF_ERROR(y.load(c, first + 2, first + 3, y_type));
    OCTAVO_RETURN_IF_ERROR(clamp.load(c, y_type));
    constant = x.constant() && y.constant();
    if (constant) ops::fill_table(chain, x.loaded(), x.is_signed(), y.loaded(), clamp, bytes);
    return Status::Ok();
  }
  Status bind(BindContext& c) const {
    OCTAVO_RETURN_IF_ERROR(x.bind(c));
    return y.bind(c);
  }
  // The table of this run; `memory` holds one that is not constant.
  Status get(const RunContext& c, uint8_t* memory, const uint8_t** table) const {
    if (constant) {
      *table = bytes;
      return Status::Ok();
    }
    ops::QuantParams px, py;
    OCTAVO_RETURN_IF_ERROR(x.read(c, &px));
    OCTAVO_RETURN_IF_ERROR(y.read(c, &py));
    ops::fill_table(chain, px, x.is_signed(), py, clamp, memory);
    *table = memory;
    return Status::Ok();
  }
};

struct UnaryAttributes {
  Table table;
  Status load(const LoadContext& c) { return table.load(c, step::QUnary::kXScale, c.input(step::QUnary::kX)->dtype); }
};

class QUnary final : public Bound {
 public:
  Status prepare(const UnaryAttributes& a, BindContext& c) {
    table_ = a.table;
    n_ = c.out(0).elements();
    OCTAVO_RETURN_IF_ERROR(ops::expect_shape(c, "output", c.in(0), c.out(0)));
    return table_.bind(c);
  }
  Status run(RunContext& c) override {
    uint8_t memory[256];
    const uint8_t* table;
    OCTAVO_RETURN_IF_ERROR(table_.get(c, memory, &table));
    const uint8_t* x = c.in<uint8_t>(0);
    uint8_t* y = c.out<uint8_t>(0);
    ops::for_chunks(c.pool(), n_,
                    [&](int64_t begin, int64_t end) { q8_kernels().lookup(x + begin, y + begin, end - begin, table); });
    return Status::Ok();
  }

 private:
  Table table_;
  int64_t n_ = 0;
};

struct TableAttributes {
  Table table;
  Status load(const LoadContext& c) {
    return table.load(c, step::QTable::kXScale, c.integer("unsigned", 0) != 0 ? DType::kUint8 : DType::kInt8);
  }
};

class QTable final : public Bound {
 public:
  Status prepare(const TableAttributes& a, BindContext& c) {
    table_ = a.table;
    if (c.out(0).elements() != 256)
      return c.error(Code::kShape, "expected an output of 256 elements, got " + ops::dims_text(c.out(0)));
    return table_.bind(c);
  }
  Status run(RunContext& c) override {
    uint8_t memory[256];
    const uint8_t* table;
    OCTAVO_RETURN_IF_ERROR(table_.get(c, memory, &table));
    std::memcpy(c.output(0), table, 256);
    return Status::Ok();
  }

 private:
  Table table_;
};

}  // namespace

Status make_qunary(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<UnaryAttributes, QUnary>(c, op);
}
Status make_qtable(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<TableAttributes, QTable>(c, op);
}

}  // namespace octavo
