#include "engine/plan.h"

#include <cstring>

#include "engine/plan_check.h"

namespace octavo {
namespace {

// Reads words and remembers the first failure; after it, every read gives 0.
class Reader {
 public:
  Reader(const int32_t* begin, const int32_t* end) : at_(begin), end_(end) {}

  bool ok() const { return error_.empty(); }
  const std::string& error() const { return error_; }
  void fail(const std::string& what) {
    if (ok()) error_ = what;
    at_ = end_;
  }
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  int32_t word() {
    if (at_ == end_) {
      fail("the plan ends early");
      return 0;
    }
    return *at_++;
  }
  const int32_t* take(size_t words) {
    if (left() < words) {
      fail("the plan ends early");
      return nullptr;
    }
    const int32_t* taken = at_;
    at_ += words;
    return taken;
  }
  // A count of entries of at least `least` words each: never more than the words that are left, so that a
  // malformed count cannot make us allocate.
  size_t count(size_t least = 1) {
    const int32_t n = word();
    if (n < 0 || static_cast<size_t>(n) > left() / least) {
      fail("a count of " + std::to_string(n) + " is more than the plan has room for");
      return 0;
    }
    return static_cast<size_t>(n);
  }
  int32_t index(size_t limit, const char* what, bool optional = false) {
    const int32_t i = word();
    if (optional && i == -1) return -1;
    if (i < 0 || static_cast<size_t>(i) >= limit) {
      fail(std::string("index ") + std::to_string(i) + " of a " + what + ", of which there are " +
           std::to_string(limit));
      return 0;
    }
    return i;
  }
  int32_t one_of(int32_t limit, const char* what) {
    const int32_t kind = word();
    if (kind < 0 || kind >= limit) {
      fail(std::string("unknown kind of ") + what + " " + std::to_string(kind));
      return 0;
    }
    return kind;
  }

 private:
  const int32_t* at_;
  const int32_t* end_;
  std::string error_;
};

void read_strings(Reader& r, Plan& plan) {
  const size_t n = r.count();
  plan.strings.reserve(n);
  for (size_t i = 0; i < n && r.ok(); ++i) {
    const int32_t bytes = r.word();
    if (bytes < 0) return r.fail("a string of negative length");
    const int32_t* words = r.take((static_cast<size_t>(bytes) + 3) / 4);
    if (words == nullptr) return;
    plan.strings.emplace_back(reinterpret_cast<const char*>(words), static_cast<size_t>(bytes));
  }
}

void read_expressions(Reader& r, Plan& plan) {
  const size_t n = r.count(3);
  plan.expressions.resize(n);
  for (size_t i = 0; i < n && r.ok(); ++i) {
    Expr& e = plan.expressions[i];
    e.kind = static_cast<ExprKind>(r.one_of(8, "expression"));
    e.a = r.word();
    e.b = r.word();
    if (e.kind == ExprKind::kConstant) {
      e.value = static_cast<int64_t>(static_cast<uint64_t>(static_cast<uint32_t>(e.a)) |
                                     static_cast<uint64_t>(static_cast<uint32_t>(e.b)) << 32);
    } else if (e.kind == ExprKind::kSymbol) {
      if (e.a < 0) r.fail("an expression of a negative symbol");  // the upper bound: check_plan, symbols come later
    } else if (e.a < 0 || e.b < 0 || static_cast<size_t>(e.a) >= i || static_cast<size_t>(e.b) >= i) {
      r.fail("an expression of expressions that do not come before it");
    }
  }
}

void read_symbols(Reader& r, Plan& plan) {
  const size_t n = r.count(4);
  plan.symbols.resize(n);
  for (PlanSymbol& s : plan.symbols) {
    s.name = r.index(plan.strings.size(), "string");
    s.source = static_cast<SourceKind>(r.one_of(4, "symbol"));
    s.a = r.word();
    s.b = r.word();
    if (!r.ok()) return;
  }
}

void read_tensors(Reader& r, Plan& plan, size_t buffers) {
  const size_t n = r.count(5);
  plan.tensors.resize(n);
  for (PlanTensor& t : plan.tensors) {
    t.name = r.index(plan.strings.size(), "string");
    const int32_t dtype = r.word();
    if (dtype < 0 || dtype > 255 || bit_width(static_cast<DType>(dtype)) == 0)
      return r.fail("unknown dtype " + std::to_string(dtype));
    t.dtype = static_cast<DType>(dtype);
    t.kind = static_cast<TensorKind>(r.one_of(7, "tensor"));
    if (t.kind == TensorKind::kConstant || t.kind == TensorKind::kState)
      t.buffer = r.index(buffers, "buffer", t.kind == TensorKind::kState);
    else if (t.kind == TensorKind::kAlias) t.of = r.index(n, "tensor");
    else if (r.word() != -1) r.fail("a tensor that is neither alias nor constant refers to another");
    const size_t rank = r.count();
    if (rank > static_cast<size_t>(kMaxRank))
      return r.fail("a tensor of rank " + std::to_string(rank) + ", at most " + std::to_string(kMaxRank) +
                    " are supported");
    for (size_t d = 0; d < rank && r.ok(); ++d) t.dims.push_back(r.index(plan.expressions.size(), "expression"));
    if (!r.ok()) return;
  }
}

void read_indices(Reader& r, size_t limit, bool optional, std::vector<int32_t>& into) {
  const size_t n = r.count();
  into.reserve(n);
  for (size_t i = 0; i < n && r.ok(); ++i) into.push_back(r.index(limit, "tensor", optional));
}

std::shared_ptr<const Plan> read_plan(Reader& r, size_t buffers, int depth);

void read_attribute(Reader& r, Plan& plan, PlanAttribute& a, size_t buffers, int depth) {
  a.name = r.index(plan.strings.size(), "string");
  a.kind = static_cast<AttributeKind>(r.one_of(4, "attribute"));
  const size_t n = r.count();
  if (a.kind == AttributeKind::kPlan) {
    if (n != 1) return r.fail("an attribute with " + std::to_string(n) + " plans");
    a.plan = read_plan(r, buffers, depth + 1);
    return;
  }
  for (size_t i = 0; i < n && r.ok(); ++i) {
    if (a.kind == AttributeKind::kFloats) {
      const int32_t bits = r.word();
      float value;
      std::memcpy(&value, &bits, sizeof value);
      a.floats.push_back(value);
    } else if (a.kind == AttributeKind::kInts) {
      a.values.push_back(r.index(plan.expressions.size(), "expression"));
    } else {
      a.values.push_back(r.index(plan.strings.size(), "string"));
    }
  }
}

void read_steps(Reader& r, Plan& plan, size_t buffers, int depth) {
  const size_t n = r.count(5);
  plan.steps.resize(n);
  for (PlanStep& s : plan.steps) {
    s.op = r.index(plan.strings.size(), "string");
    s.label = r.index(plan.strings.size(), "string");
    read_indices(r, plan.tensors.size(), true, s.inputs);
    read_indices(r, plan.tensors.size(), true, s.outputs);
    const size_t attributes = r.count(3);
    s.attributes.resize(attributes);
    for (PlanAttribute& a : s.attributes) {
      read_attribute(r, plan, a, buffers, depth);
      if (!r.ok()) return;
    }
    if (!r.ok()) return;
  }
}

std::shared_ptr<const Plan> read_plan(Reader& outer, size_t buffers, int depth) {
  if (depth >= kMaxPlanDepth) {
    outer.fail("plans are nested deeper than " + std::to_string(kMaxPlanDepth));
    return nullptr;
  }
  const size_t length = outer.count();
  const int32_t* begin = outer.take(length);
  if (begin == nullptr) return nullptr;
  Reader r(begin, begin + length);
  auto plan = std::make_shared<Plan>();
  read_strings(r, *plan);
  if (r.ok()) read_expressions(r, *plan);
  if (r.ok()) read_symbols(r, *plan);
  if (r.ok()) read_tensors(r, *plan, buffers);
  if (r.ok()) read_indices(r, plan->tensors.size(), false, plan->inputs);
  if (r.ok()) read_indices(r, plan->tensors.size(), false, plan->outputs);
  if (r.ok()) read_steps(r, *plan, buffers, depth);
  if (r.ok() && r.left() != 0) r.fail(std::to_string(r.left()) + " words after the end of the plan");
  if (r.ok()) {
    const Status status = check_plan(*plan, depth > 0);
    if (!status.ok()) r.fail(status.message);
  }
  if (!r.ok()) {
    outer.fail(r.error());
    return nullptr;
  }
  return plan;
}

}  // namespace

Status decode_plan(const int32_t* words, size_t count, size_t buffers, std::shared_ptr<const Plan>* plan) {
  Reader r(words, words + count);
  if (r.word() != kPlanMagic) return Status::Error(Code::kInvalidPlan, "not a plan");
  const int32_t version = r.word();
  if (version != kPlanVersion) {
    return Status::Error(Code::kInvalidPlan, "a plan of version " + std::to_string(version) + ", expected " +
                                                 std::to_string(kPlanVersion) +
                                                 ": the addon and the JavaScript are of different versions");
  }
  *plan = read_plan(r, buffers, 0);
  if (r.ok() && r.left() != 0) r.fail("words after the end of the plan");
  if (!r.ok()) return Status::Error(Code::kInvalidPlan, "malformed plan: " + r.error());
  return Status::Ok();
}

}  // namespace octavo
